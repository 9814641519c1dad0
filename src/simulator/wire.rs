//! The contract with the client: the files of `assets/wire`, written from the vendor's pages, are
//! what the simulator answers. The client decodes the very same files.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::answer::Request;
use super::shapes::Shapes;
use super::world::{DeleteAnswer, TypeDelete, World};
use super::write::CreatePath;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    request: Asked,
    simulator: Setting,
    status: u16,
    /// Absent where nothing is sent.
    body: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    method: String,
    path: String,
    query: Option<String>,
    body: Option<Value>,
}

/// The scenario in which this is the answer, and what is different from it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    scenario: String,
    #[serde(default)]
    shapes: Shapes,
    #[serde(default)]
    delete_answer: DeleteAnswer,
    #[serde(default)]
    type_delete: TypeDelete,
    #[serde(default)]
    create_path: CreatePath,
    base_path: Option<String>,
    /// The request's token is that of the scenario and has ended.
    #[serde(default)]
    expired: bool,
}

fn fixtures() -> Vec<(String, Fixture)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/wire");
    let mut fixtures: Vec<(String, Fixture)> = fs::read_dir(folder)
        .unwrap()
        .map(|file| {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            let text = fs::read_to_string(file.path()).unwrap();
            let fixture = serde_json::from_str(&text).unwrap_or_else(|no| panic!("{name}: {no}"));
            (name, fixture)
        })
        .collect();
    fixtures.sort_by(|(one, _), (other, _)| one.cmp(other));
    fixtures
}

impl Setting {
    fn world(self) -> World {
        let mut world = World::named(&self.scenario).unwrap();
        world.shapes = self.shapes;
        world.delete_answer = self.delete_answer;
        world.type_delete = self.type_delete;
        world.create_path = self.create_path;
        if let Some(base_path) = self.base_path {
            world.set_base_path(&base_path);
        }
        if self.expired {
            world.set_token("renewed");
        }
        world
    }
}

impl Asked {
    fn request(self, token: &str) -> Request {
        let query = self.query.map_or_else(String::new, |query| format!("?{query}"));
        let target = format!("{}{query}", self.path);
        let mut request = Request::new(&self.method, &target).bearing(token);
        request.body = self.body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        request
    }
}

#[test]
fn the_simulator_answers_what_the_files_say() {
    let fixtures = fixtures();
    assert!(!fixtures.is_empty());
    for (name, fixture) in fixtures {
        let token = World::named(&fixture.simulator.scenario).unwrap().token().to_owned();
        let answer = fixture.simulator.world().answer(&fixture.request.request(&token));
        let body = (!answer.body.is_empty())
            .then(|| serde_json::from_slice::<Value>(&answer.body).unwrap());
        assert_eq!((answer.status, body), (fixture.status, fixture.body), "{name}");
    }
}
