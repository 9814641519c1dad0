//! The contract with the client: the files of `assets/wire`, written from the vendor's pages, are
//! what the simulator answers. The client decodes the very same files.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::answer::Request;
use super::world::World;

/// Every file, and the scenario in which it is the answer.
const FIXTURES: &[(&str, &str)] = &[
    ("delete-extension.json", "the-page"),
    ("delete-one.json", "the-page"),
    ("error-extension-invalid.json", "the-page"),
    ("error-pce-access-denied.json", "an-extension-refuses"),
    ("error-pce-id-invalid.json", "the-page"),
    ("list-three-events.json", "the-page"),
    ("presence-two-terminals.json", "an-extension-refuses"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    request: Asked,
    status: u16,
    body: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    method: String,
    path: String,
}

#[test]
fn the_simulator_answers_what_the_files_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/wire");
    for (file, scenario) in FIXTURES {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let fixture: Fixture = serde_json::from_str(&text).unwrap();
        let mut world = World::named(scenario).unwrap();
        let token = world.token().to_owned();
        let request = Request::new(&fixture.request.method, &fixture.request.path);
        let answer = world.answer(&request.bearing(&token));
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((answer.status, body), (fixture.status, fixture.body), "{file}");
    }
}

#[test]
fn no_file_of_the_contract_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/wire");
    let mut files: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let known: Vec<&str> = FIXTURES.iter().map(|(file, _)| *file).collect();
    assert_eq!(files, known);
}
