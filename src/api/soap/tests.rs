//! What is in the wild, what could be, and what somebody hostile would send.

use proptest::prelude::*;

use super::*;

fn user(text: &str) -> UserId {
    UserId::parse(text).unwrap()
}

fn all() -> Question {
    Question::Extensions("term", None)
}

fn answered(status: u16, body: &str) -> Result<Listed, Failure> {
    let answer = Answer { status, body: body.as_bytes().to_vec().into(), ..Answer::default() };
    all().rows(&answer).map(listed)
}

/// Rows in an envelope without prefixes.
fn with_rows(rows: &str) -> Listed {
    answered(
        200,
        &format!(
            "<Envelope><Header/><Body><GetExtensionsResponse>{rows}</GetExtensionsResponse>\
             </Body></Envelope>"
        ),
    )
    .unwrap()
}

fn shown(listed: &Listed) -> Vec<(&str, Option<ExtensionKind>, &str)> {
    let rows = listed.extensions.iter();
    rows.map(|row| (row.number.as_str(), row.kind.clone(), row.label.raw())).collect()
}

#[test]
fn the_envelope_is_the_documented_one_with_the_token_escaped() {
    let written = Question::Extensions("phoneQueue", Some(user("12"))).envelope("1|a<b&c");
    for part in [
        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\">",
        "<h:userCredentials xmlns:h=\"http://4psa.com/HeaderData.xsd/3.5.0\">",
        "<h:accessToken>1|a&lt;b&amp;c</h:accessToken>",
        "<m:GetExtensions xmlns:m=\"http://4psa.com/ExtensionMessages.xsd/3.5.0\" ",
        "<d:extensionType>phoneQueue</d:extensionType><a:parentID>12</a:parentID></m:GetExtensions>",
    ] {
        assert!(written.contains(part), "{written}");
    }
    assert!(!all().envelope("t").contains("parentID"));
    let users = Question::Users.envelope("t");
    assert!(users.contains("<m:GetUsers xmlns:m=\"http://4psa.com/UserMessages.xsd/3.5.0\" "));
    let details = Question::Details(ExtensionNumber::parse("0003*210").unwrap()).envelope("t");
    assert!(
        details.contains("<c:extendedNumber>0003*210</c:extendedNumber></m:GetExtensionDetails>")
    );
}

#[test]
fn rows_are_read_under_any_prefix_and_namespace() {
    let row = |p: &str, q: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{p}Envelope xmlns:s=\"x\">\
             <{p}Header><{q}serverInfo><{q}extension>7</{q}extension></{q}serverInfo></{p}Header>\
             <{p}Body>\n <{q}GetExtensionsResponse>\n  <{q}extension>\n   <{q}name>Front</{q}name>\
             <{q}label>Sales &amp; more</{q}label><{q}extensionType>phoneQueue</{q}extensionType>\
             <{q}extendedNumber> 0003*600\n</{q}extendedNumber><{q}identifier>9</{q}identifier>\
             </{q}extension><{q}notice><{q}code>1</{q}code></{q}notice>\
             </{q}GetExtensionsResponse></{p}Body></{p}Envelope>"
        )
    };
    let expected = [("0003*600", Some(ExtensionKind::Queue), "Sales & more")];
    for (p, q) in [("", ""), ("SOAP-ENV:", "ns1:"), ("s:", ""), ("", "s:")] {
        let read = answered(200, &row(p, q)).unwrap();
        assert_eq!((shown(&read), read.odd), (expected.to_vec(), 0), "{p} {q}");
    }
}

#[test]
fn users_and_details_are_read_as_rows_of_their_own() {
    let said = |question: Question, body: &str| {
        let body = format!("<Envelope><Body>{body}</Body></Envelope>").into_bytes().into();
        question.rows(&Answer { status: 200, body, ..Answer::default() }).unwrap()
    };
    let users = said(
        Question::Users,
        "<GetUsersResponse><user><ID>101</ID><name>Ada</name><parentID>12</parentID></user>\
         <user><ID>102</ID><firstName>Ben</firstName><lastName>Ochs</lastName></user><user/>\
         <notice><message>x</message></notice></GetUsersResponse>",
    );
    let users: Vec<_> = users.iter().filter_map(Row::user).collect();
    let users: Vec<_> = users.iter().map(|user| (user.id.as_str(), user.name.raw())).collect();
    assert_eq!(users, [("101", "Ada"), ("102", "Ben Ochs")]);
    let number = ExtensionNumber::parse("0003*210").unwrap();
    for inside in ["", "<extension>"] {
        let close = inside.replace('<', "</");
        let rows = said(
            Question::Details(number.clone()),
            &format!(
                "<GetExtensionDetailsResponse>{inside}<extensionNo>210</extensionNo>\
                 <parentID>101</parentID><parentName>Ada</parentName>{close}\
                 </GetExtensionDetailsResponse>"
            ),
        );
        assert_eq!((rows.len(), rows[0].text("extensionNo")), (1, "210"), "{inside}");
        let owner = rows[0].of_number(number.clone()).owner.unwrap();
        assert_eq!((owner.id.as_str(), owner.name.raw()), ("101", "Ada"));
    }
}

#[test]
fn the_names_of_the_old_schema_are_known_too() {
    let read = with_rows(
        "<extension><ID>1</ID><extensionID>4</extensionID><login>x</login><name>Hotline</name>\
         <label/><extensionType>queue</extensionType><extensionNo>0003*601</extensionNo></extension>\
         <extension><extensionID>602</extensionID></extension>",
    );
    let expected = [("0003*601", Some(ExtensionKind::Queue), "Hotline"), ("602", None, "")];
    assert_eq!(shown(&read), expected);
}

#[test]
fn types_have_their_kinds_and_others_are_kept_as_written() {
    for (name, kind) in [
        ("term", Some(ExtensionKind::Phone)),
        ("phoneQueue", Some(ExtensionKind::Queue)),
        ("ivr", Some(ExtensionKind::Ivr)),
        ("conference", Some(ExtensionKind::Conference)),
        ("voicecenter", Some(ExtensionKind::Other(Foreign::from("voicecenter")))),
        ("", None),
    ] {
        let read = with_rows(&format!(
            "<extension><extensionType>{name}</extensionType>\
             <extendedNumber>1</extendedNumber></extension>"
        ));
        assert_eq!(shown(&read), [("1", kind, "")]);
    }
}

#[test]
fn rows_without_a_usable_number_are_counted_and_nothing_is_guessed() {
    let read = with_rows(
        "<extension/><extension><extendedNumber>@self</extendedNumber><extensionNo>1</extensionNo>\
         </extension><extension><owner><extendedNumber>2</extendedNumber></owner></extension>\
         <extension><extendedNumber>3</extendedNumber><extension><name>x</name>\
         <extendedNumber>4</extendedNumber></extension></extension>",
    );
    assert_eq!((shown(&read), read.odd), (vec![("3", None, "")], 3));
    assert_eq!(with_rows(""), Listed::default());
}

#[test]
fn entities_and_cdata_become_text_and_definitions_are_not_expanded() {
    let label = |written: &str| {
        let row = format!(
            "<extension><extendedNumber>1</extendedNumber><label>{written}</label></extension>"
        );
        with_rows(&row).extensions[0].label.raw().to_owned()
    };
    assert_eq!(label("a &lt;b&gt; &quot;&apos;&amp;amp; &#228;&#xE4;"), "a <b> \"'&amp; ää");
    assert_eq!(label("x<![CDATA[ <&amp;> ]]>y<!-- z -->"), "x <&amp;> y");
    assert_eq!(label("&nbsp;&#0;&#xD800;&#99999999;"), "&nbsp;&#0;&#xD800;&#99999999;");
    let bomb = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">\
                <!ENTITY f SYSTEM \"file:///etc/passwd\">]><Envelope><Body><GetExtensionsResponse>\
                <extension><extendedNumber>1</extendedNumber><name>&b;&f;</name></extension>\
                </GetExtensionsResponse></Body></Envelope>";
    assert_eq!(shown(&answered(200, bomb).unwrap()), [("1", None, "&b;&f;")]);
}

#[test]
fn a_fault_is_a_refusal_with_any_status_and_prefix() {
    for status in [200, 400, 401, 500] {
        for prefix in ["", "soap:", "SOAP-ENV:"] {
            let body = format!(
                "<{prefix}Envelope><{prefix}Body><{prefix}Fault><faultcode>{prefix}Client\
                 </faultcode><faultstring>No &amp; no</faultstring><detail><x>faultcode</x></detail>\
                 </{prefix}Fault></{prefix}Body></{prefix}Envelope>"
            );
            let failure = answered(status, &body).unwrap_err();
            assert_eq!((failure.cause, failure.http_status), (Cause::Rejected, Some(status)));
            assert_eq!(failure.code.raw(), format!("{prefix}Client"));
            assert_eq!(failure.message.raw(), "No & no");
        }
    }
    let newer = "<e:Envelope><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value></e:Code><e:Reason>\
                 <e:Text>No</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>";
    assert_eq!(answered(500, newer).unwrap_err().to_string(), "e:Sender: No");
    let silent = "<Envelope><Body><Fault/></Body></Envelope>";
    assert!(!answered(500, silent).unwrap_err().message.is_empty());
}

#[test]
fn a_success_that_is_no_answer_is_unreadable_and_never_an_empty_list() {
    for body in [
        "",
        "{\"entry\":[]}",
        "<!DOCTYPE html><html><body><br>Sign in</body></html>",
        "<Envelope/>",
        "<Envelope><Body/></Envelope>",
        "<Envelope><Body><GetUsersResponse/></Body></Envelope>",
        "<Envelope><Body><GetExtensionsResponse>",
        "<Envelope><Body><GetExtensionsResponse></Body></Envelope>",
        "<Envelope><Header><GetExtensionsResponse/></Header></Envelope>",
    ] {
        let failure = answered(200, body).unwrap_err();
        assert_eq!((failure.cause, failure.http_status), (Cause::Unreadable, Some(200)), "{body}");
    }
    assert_eq!(answered(204, "").unwrap_err().cause, Cause::Unreadable);
}

#[test]
fn where_there_is_no_system_api_the_remedy_is_its_own() {
    let missing = answered(404, "<html><h1>Not Found</h1></html>").unwrap_err();
    assert_eq!((missing.cause, missing.http_status), (Cause::Rejected, Some(404)));
    assert!(missing.to_string().contains("\"system_api\" out of discover"), "{missing}");
    let busy = answered(503, "<html>busy</html>").unwrap_err();
    assert_eq!(busy.cause, Cause::ServiceFailed);
    assert_eq!(busy.to_string(), "the service answered 503 Service Unavailable");
    let token = answered(401, "").unwrap_err();
    assert!(token.to_string().contains("auth in the profile"), "{token}");
    assert_eq!(answered(302, "").unwrap_err().cause, Cause::Redirected);
}

#[test]
fn deep_nesting_and_huge_text_do_no_harm() {
    let deep = format!("<Envelope><Body>{}", "<a>".repeat(1_000_000));
    assert_eq!(answered(200, &deep).unwrap_err().cause, Cause::Unreadable);
    let long = "9".repeat(5_000_000);
    let read = with_rows(&format!(
        "<extension><extendedNumber>{long}</extendedNumber></extension>\
         <extension><extendedNumber>1</extendedNumber><label>{long}&amp;{long}</label></extension>"
    ));
    assert_eq!((read.odd, read.extensions.len()), (1, 1));
    assert!(read.extensions[0].label.raw().len() <= LONGEST);
}

/// Pieces of XML that make sense or nonsense together.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<Envelope>",
        "</Envelope>",
        "<Body>",
        "</Body>",
        "<Fault>",
        "</Fault>",
        "<extension>",
        "</extension>",
        "<a:extension/>",
        "<extendedNumber>",
        "</extendedNumber>",
        "1",
        "&amp;",
        "&#x41;",
        "&b;",
        "&",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?",
        "?>",
        "<!DOCTYPE",
        ">",
        "ä",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        let answer = Answer { status: 200, body: body.into(), ..Answer::default() };
        let _ = all().rows(&answer).map(listed);
    }

    #[test]
    fn no_xml_makes_the_reader_panic(inside in pieces()) {
        let _ = answered(500, &inside);
        let _ = answered(200, &format!("<Envelope><Body>{inside}</Body></Envelope>"));
    }
}
