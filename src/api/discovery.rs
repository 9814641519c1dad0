//! What several sources said of the extensions becomes one list.

use std::collections::BTreeMap;

use crate::domain::{Cause, Discovery, Extension, ExtensionNumber, Failure, Source};

/// What one source said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Said {
    pub(super) extensions: Vec<Extension>,
    /// Extensions whose number cannot stand in a path.
    pub(super) odd: usize,
    /// What the source could not say, a sentence each.
    pub(super) gaps: Vec<String>,
}

/// Joins the typed numbers and what the sources said: each number once, with kind and label where
/// any source knows them; where two differ, the earlier one counts.
///
/// # Errors
/// The first source's failure, when all failed. Only a service that answers and refuses this one
/// question, not the token, leaves it at the typed numbers and remarks.
pub(super) fn merge(
    typed: &[ExtensionNumber],
    said: Vec<(Source, Result<Said, Failure>)>,
) -> Result<Discovery, Failure> {
    let answered = said.iter().any(|(_, said)| said.is_ok());
    let knows_all = said.iter().any(|(source, said)| *source == Source::SystemApi && said.is_ok());
    if let (false, Some((_, Err(first)))) = (answered, said.first())
        && (typed.is_empty() || !is_refusal_of_one_question(first))
    {
        return Err(first.clone());
    }
    let mut found: BTreeMap<ExtensionNumber, Extension> =
        typed.iter().map(|number| (number.clone(), Extension::of(number.clone()))).collect();
    let mut remarks = Vec::new();
    let complete =
        said.iter().all(|(_, said)| said.as_ref().is_ok_and(|said| said.gaps.is_empty()));
    for (source, said) in said {
        let name = source.name();
        match said {
            Ok(said) => {
                for extension in said.extensions {
                    take(&mut found, extension);
                }
                if source == Source::Presence && !knows_all {
                    remarks.push(
                        "presence lists phone terminals only: queues, IVRs and conferences have \
                         to be named under extensions in the profile"
                            .to_owned(),
                    );
                }
                remarks.extend(left_out(name, said.odd));
                remarks.extend(said.gaps);
            }
            Err(failure) if answered => {
                remarks.push(format!("{name} could not be listed ({failure})"));
            }
            Err(failure) => remarks.push(format!(
                "{name} could not be listed ({failure}): only the extensions named in the \
                 profile are shown"
            )),
        }
    }
    Ok(Discovery { extensions: found.into_values().collect(), remarks, complete })
}

fn take(found: &mut BTreeMap<ExtensionNumber, Extension>, extension: Extension) {
    let number = extension.number.clone();
    let known = found.entry(number).or_insert_with_key(|number| Extension::of(number.clone()));
    known.kind = known.kind.take().or(extension.kind);
    known.owner = known.owner.take().or(extension.owner);
    if known.label.is_empty() {
        known.label = extension.label;
    }
}

fn left_out(name: &str, odd: usize) -> Option<String> {
    match odd {
        0 => None,
        1 => Some(format!(
            "{name} lists 1 extension whose number cannot stand in a path; it is left out"
        )),
        odd => Some(format!(
            "{name} lists {odd} extensions whose numbers cannot stand in a path; they are left out"
        )),
    }
}

/// Whether the service itself said no to what was asked. With 401 it said no to the token, and so
/// it would to every further request, each of which brings an address closer to being blocked.
fn is_refusal_of_one_question(failure: &Failure) -> bool {
    failure.cause == Cause::Rejected && !failure.code.is_empty() && failure.http_status != Some(401)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ExtensionKind, Foreign};

    fn number(text: &str) -> ExtensionNumber {
        ExtensionNumber::parse(text).unwrap()
    }

    fn extension(text: &str, kind: Option<&ExtensionKind>, label: &str) -> Extension {
        let (kind, label) = (kind.cloned(), Foreign::from(label));
        Extension { kind, label, ..Extension::of(number(text)) }
    }

    fn said(extensions: &[Extension]) -> Result<Said, Failure> {
        Ok(Said { extensions: extensions.to_vec(), ..Said::default() })
    }

    fn refused() -> Result<Said, Failure> {
        let failure = Failure::new(Cause::Rejected, "Not for you");
        Err(Failure { code: Foreign::from("denied"), http_status: Some(400), ..failure })
    }

    fn broken() -> Result<Said, Failure> {
        Err(Failure::new(Cause::NoAnswer, "no answer within 30 s"))
    }

    #[test]
    fn each_number_is_there_once_with_kind_and_label_where_any_source_knows_them() {
        let phone = Some(&ExtensionKind::Phone);
        let queue = Some(&ExtensionKind::Queue);
        let discovery = merge(
            &[number("600"), number("700")],
            vec![
                (Source::Presence, said(&[extension("210", phone, "")])),
                (
                    Source::SystemApi,
                    said(&[
                        extension("600", queue, "Sales"),
                        extension("210", None, "Reception"),
                        extension("210", queue, "Again"),
                        extension("900", None, ""),
                    ]),
                ),
            ],
        )
        .unwrap();
        assert_eq!(
            discovery.extensions,
            [
                extension("210", phone, "Reception"),
                extension("600", queue, "Sales"),
                extension("700", None, ""),
                extension("900", None, ""),
            ]
        );
        assert!(discovery.remarks.is_empty(), "{:?}", discovery.remarks);
    }

    #[test]
    fn presence_says_what_it_cannot_see_unless_system_api_sees_it() {
        let remarks = |said| merge(&[], said).unwrap().remarks;
        let unseen = "presence lists phone terminals only";
        let alone = remarks(vec![(Source::Presence, said(&[]))]);
        assert!(alone.len() == 1 && alone[0].starts_with(unseen), "{alone:?}");
        let both = vec![(Source::SystemApi, said(&[])), (Source::Presence, said(&[]))];
        assert!(remarks(both).is_empty());
        let failed = remarks(vec![(Source::Presence, said(&[])), (Source::SystemApi, broken())]);
        assert_eq!(failed.len(), 2, "{failed:?}");
        assert!(failed[0].starts_with(unseen));
        assert_eq!(failed[1], "system_api could not be listed (no answer within 30 s)");
    }

    #[test]
    fn a_failure_counts_only_where_no_source_answered() {
        let one = extension("210", None, "x");
        for failure in [refused(), broken()] {
            let half = vec![
                (Source::Presence, failure.clone()),
                (Source::SystemApi, said(std::slice::from_ref(&one))),
            ];
            let discovery = merge(&[], half).unwrap();
            assert_eq!(discovery.extensions, std::slice::from_ref(&one));
            assert!(discovery.remarks[0].starts_with("presence could not be listed ("));
            let none = vec![(Source::Presence, failure.clone()), (Source::SystemApi, broken())];
            assert_eq!(merge(&[], none).unwrap_err(), failure.unwrap_err());
        }
        let none = || vec![(Source::Presence, refused()), (Source::SystemApi, refused())];
        assert!(merge(&[], none()).is_err());
        let discovery = merge(&[number("1")], none()).unwrap();
        assert_eq!((discovery.extensions.len(), discovery.remarks.len()), (1, 2));
        let none = vec![(Source::Presence, broken()), (Source::SystemApi, refused())];
        assert!(merge(&[number("1")], none).is_err());
    }

    #[test]
    fn a_source_that_failed_or_was_cut_leaves_the_list_incomplete() {
        let complete = |said| merge(&[], said).unwrap().complete;
        assert!(complete(vec![]));
        assert!(complete(vec![(Source::Presence, said(&[]))]), "what it cannot see is a remark");
        assert!(complete(vec![(Source::Presence, said(&[])), (Source::SystemApi, said(&[]))]));
        assert!(!complete(vec![(Source::Presence, said(&[])), (Source::SystemApi, broken())]));
        let cut = Ok(Said { gaps: vec!["gap".to_owned()], ..Said::default() });
        assert!(!complete(vec![(Source::Presence, cut), (Source::SystemApi, said(&[]))]));
        let refused = merge(&[number("1")], vec![(Source::Presence, refused())]).unwrap();
        assert!(!refused.complete);
    }

    #[test]
    fn what_was_left_out_is_counted_for_each_source() {
        let odd = |odd| Ok(Said { odd, gaps: vec!["gap".to_owned()], ..Said::default() });
        let said = vec![(Source::SystemApi, odd(2)), (Source::Presence, odd(1))];
        let remarks = merge(&[], said).unwrap().remarks;
        assert!(remarks[0].starts_with("system_api lists 2 extensions"), "{remarks:?}");
        assert!(remarks[2].starts_with("presence lists 1 extension "), "{remarks:?}");
        assert_eq!((remarks.len(), remarks[1].as_str()), (4, "gap"));
    }
}
