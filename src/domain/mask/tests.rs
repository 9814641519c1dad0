//! What a mask hides, what it leaves, and that it does nothing while it is off.

use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use super::*;

fn number(text: &str) -> ExtensionNumber {
    ExtensionNumber::parse(text).unwrap()
}

/// A mask over a PBX with these extensions.
fn mask(numbers: &[&str]) -> Mask {
    let mut mask = Mask::new("pbx.acme.test:8443", true);
    for text in numbers {
        mask.learn(&number(text));
    }
    mask
}

#[test]
fn a_number_keeps_its_width_and_its_last_digits_as_far_as_it_is_long() {
    for (text, shown) in [
        ("0003*210", "####*#10"),
        ("12345", "###45"),
        ("2101", "###1"),
        ("210", "##0"),
        ("21", "##"),
        ("7", "#"),
        ("1*2", "#*#"),
        ("0003*21", "####*#1"),
        ("0003*2", "####*#"),
    ] {
        assert_eq!(mask(&[]).number(&number(text)), shown, "{text}");
    }
}

#[test]
fn labels_and_notes_keep_blanks_and_signs_in_as_many_columns() {
    for (text, shown) in [
        ("Front desk (2nd)", "##### #### (###)"),
        ("old-crm, 2023", "###-###, ####"),
        ("Zürich – Empfang", "###### # #######"),
        ("受付 e\u{301}", "#### #"),
        ("", ""),
    ] {
        let masked = mask(&[]).words(&Foreign::from(text));
        assert_eq!(masked, shown);
        assert_eq!(masked.width(), text.width());
    }
}

#[test]
fn a_url_keeps_its_scheme_and_its_structure() {
    for (text, shown) in [
        ("https://crm.acme.test/in?ext=210&x=#a", "https://###.####.####/##?###=###&#=##"),
        ("http://10.0.0.7:8080/", "http://##.#.#.#:####/"),
        ("acmecrm://pop/up", "#######://###/##"),
        ("mailto:ops@acme.test", "######:###@####.####"),
    ] {
        assert_eq!(mask(&[]).url(&Foreign::from(text)), shown);
    }
    assert_eq!(mask(&[]).host("pbx.acme.test:8443"), "###.####.####:####");
    assert_eq!(mask(&[]).host("https://pbx.acme.test"), "https://###.####.####");
}

#[test]
fn in_a_path_the_number_goes_and_user_type_and_id_stay() {
    let mask = mask(&["0", "1187"]);
    for (path, shown) in [
        (
            "/uapi/extensions/@me/0003*101/phoneCallEvents/0/1187",
            "/uapi/extensions/@me/####*#01/phoneCallEvents/0/1187",
        ),
        (
            "/uapi/extensions/12/210/phoneCallEvents?count=20&filterValue=0003*101",
            "/uapi/extensions/12/##0/phoneCallEvents?count=20&filterValue=####*#01",
        ),
        ("/uapi/extensions/@me/@self/presence", "/uapi/extensions/@me/@self/presence"),
        ("/x/extensions/@me/210é: no", "/x/extensions/@me/##0é: no"),
        ("/oauth/token.php", "/oauth/token.php"),
        ("/a?/extensions/@me/210/x", "/a?/extensions/@me/##0/x"),
        (
            "/uapi/extensions/210/210/phoneCallEvents/0/a,https://crm.acme.test/in",
            "/uapi/extensions/210/##0/phoneCallEvents/0/a,https://###.####.####/##",
        ),
        (
            "/uapi/extensions/@me/210/x/0/a/crm.acme.test",
            "/uapi/extensions/@me/##0/x/0/a/###.####.####",
        ),
    ] {
        assert_eq!(mask.path(path), shown);
    }
}

#[test]
fn in_a_sentence_known_numbers_go_and_codes_ids_and_counts_stay() {
    let mask = mask(&["0003*210", "4711", "7"]);
    for (text, shown) in [
        ("extension_invalid: 0003*210 is none", "extension_invalid: ####*#10 is none"),
        ("there is no extension 210", "there is no extension ##0"),
        ("ext4711, (4711) and 4711.", "ext###1, (###1) and ###1."),
        ("0009*1 is not loaded", "####*# is not loaded"),
        ("7: 17 events, 8 of 70 left", "#: 17 events, 8 of 70 left"),
        ("no event NqeyD7Rqo4Ftabm or 1187", "no event NqeyD7Rqo4Ftabm or 1187"),
        ("47110 of 14711", "47110 of 14711"),
        ("see run 20261124T074822Z-acme", "see run 20261124T074822Z-acme"),
        ("written to /runs/x.jsonl at 10:30:15", "written to /runs/x.jsonl at 10:30:15"),
    ] {
        assert_eq!(mask.text(text), shown);
    }
}

#[test]
fn in_a_sentence_hosts_and_urls_go_with_all_that_follows_them() {
    let mask = mask(&["210"]);
    for (text, shown) in [
        ("pbx.acme.test refused the connection", "###.####.#### refused the connection"),
        ("no answer from PBX.acme.test:8443, again", "no answer from ###.####.####:####, again"),
        ("(see crm.acme.test/a/b?c=d, now)", "(see ###.####.####/#/#?#=#, now)"),
        ("\"https://crm.test/acme,it's\" is no url", "\"https://###.####/####,##'#\" is no url"),
        ("url=https://crm/in", "url=https://###/##"),
        (r"http:\/\/crm.acme.test\/in", r"http:\/\/###.####.####\/##"),
        ("https%3A%2F%2Fcrm.acme.test%2Fin", "#####%##%##%#####.####.####%####"),
        ("ftp://files.acme.test/x", "###://#####.####.####/#"),
        ("to 10.1.2.3:443 or [fe80::1]:443", "to ##.#.#.#:### or [####::#]:443"),
        ("ops@acme.test at localhost:80", "###@####.#### at #########:##"),
        (
            "POST https://pbx.acme.test:8443/uapi/extensions/@me/210/phoneCallEvents/0/a1 failed",
            "POST https://###.####.####:####/uapi/extensions/@me/##0/phoneCallEvents/0/a1 failed",
        ),
        ("url:*crm.acme* | host:*.acme.test", "url:*###.####* | host:*.####.####"),
        ("it took 0.5 s, e.g. version 5.6.1", "it took 0.5 s, e.g. version 5.6.1"),
        ("@me [x] and/or a:b", "@me [x] and/or a:b"),
    ] {
        assert_eq!(mask.text(text), shown);
    }
    // A PBX that is named by one word is known by it.
    let pbx = Mask::new("pbx:8443", true);
    assert_eq!(pbx.text("pbx:8443 refused, pbxes do not"), "###:#### refused, pbxes do not");
}

#[test]
fn while_it_is_off_everything_stays_and_it_can_be_turned_on_and_off() {
    let mut mask = mask(&["210"]);
    mask.toggle();
    assert!(!mask.is_on());
    let text = "210 at https://crm.acme.test/in";
    assert_eq!(mask.text(text), text);
    assert_eq!(mask.words(&Foreign::from(text)), text);
    assert_eq!(mask.url(&Foreign::from(text)), text);
    assert_eq!((mask.host(text), mask.path(text)), (text.to_owned(), text.to_owned()));
    assert_eq!(mask.number(&number("0003*210")), "0003*210");
    mask.toggle();
    assert!(mask.is_on());
    assert_ne!(mask.text(text), text);
}

/// The numbers that a reader would see in a text.
fn numbers_in(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character| !is_of_number(character)).filter(|run| !run.is_empty())
}

proptest! {
    #[test]
    fn a_known_number_is_nowhere_in_a_masked_sentence(
        known in "[0-9]{3,6}|[0-9]{1,4}\\*[0-9]{1,4}",
        parts in prop::collection::vec("\\PC{0,12}|[a-z0-9*./:@ \\[\\]-]{0,12}", 1..6),
    ) {
        let mask = mask(&[&known]);
        let text = parts.join(&format!(" {known} "));
        let masked = mask.text(&text);
        prop_assert!(numbers_in(&masked).all(|shown| shown != known), "{text:?} {masked:?}");
        let path = format!("/uapi/extensions/@me/{known}/phoneCallEvents/0/x");
        prop_assert!(!mask.path(&path).contains(&known));
        let said = format!("DELETE {path}: no");
        prop_assert!(!mask.text(&said).contains(&known));
    }

    #[test]
    fn nothing_becomes_wider_or_narrower(text in "\\PC{0,40}") {
        let mask = mask(&["210"]);
        let foreign = Foreign::from(text);
        let shown = foreign.to_string();
        prop_assert_eq!(mask.words(&foreign).width(), shown.width());
        prop_assert_eq!(mask.url(&foreign).width(), shown.width());
        prop_assert_eq!(mask.text(&shown).width(), shown.width());
    }

    #[test]
    fn a_path_made_of_anything_is_masked_too(
        parts in prop::collection::vec("/extensions/|@me|210|[0-9*é/:?.#]{0,6}", 0..9),
    ) {
        let mask = mask(&["210"]);
        let path = parts.concat();
        prop_assert_eq!(mask.path(&path).width(), path.width());
    }

    #[test]
    fn no_letter_and_no_digit_of_a_label_or_url_is_left(text in "\\PC{0,40}") {
        let mask = mask(&[]);
        let url = Foreign::from(format!("https://{text}"));
        let foreign = Foreign::from(text);
        prop_assert!(!mask.words(&foreign).contains(char::is_alphanumeric));
        prop_assert!(!mask.url(&url).trim_start_matches("https").contains(char::is_alphanumeric));
    }
}

#[test]
fn a_sentence_of_the_service_names_no_extension_and_no_owner_that_is_known() {
    let mut mask = mask(&[]);
    for name in ["Sales 1", "Sales 12", "Directors' office", "Lobby", "(VIP) Rosengarten", "Al"] {
        mask.learn_name(&Foreign::from(name));
    }
    for (text, shown) in [
        ("You may not manage Sales 1.", "You may not manage ##### #."),
        ("Sales 12 and Sales 123 are locked", "##### ## and Sales 123 are locked"),
        ("of Directors' office, refused", "of #########' ######, refused"),
        ("(VIP) Rosengarten: no such event", "(###) ###########: no such event"),
        ("Sales are closed. Also: Al", "Sales are closed. Also: Al"),
        ("Salesman 1 of the Lobby.", "Salesman 1 of the #####."),
    ] {
        assert_eq!(mask.text(text), shown);
    }
    mask.toggle();
    assert_eq!(mask.text("You may not manage Sales 1."), "You may not manage Sales 1.");
}
