//! Which extensions there are, and whose: what several sources said becomes one list.

use std::collections::{BTreeMap, BTreeSet};

use tokio::task::JoinSet;

use super::soap::{self, Question, Row};
use super::{Client, wire};
use crate::domain::{
    Cause, Discovery, Exchange, Extension, ExtensionKind, ExtensionNumber, Failure, Owner, Secret,
    Seen, Source, UserId, without_profile,
};

/// What a user has to know who has no phones.
const NO_PHONE: &str = "presence lists no phone, as for the App of an organisation or an \
                        administrator: write discover = [\"presence\", \"system_api\"] in the \
                        profile, or name its extensions with their owners, as in extensions = \
                        [\"101/0003*211\"]";

/// What presence cannot see.
const PHONES_ONLY: &str = "presence lists phones only: queues, IVRs and conferences have to be named \
                           under extensions in the profile";

/// What one source said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Said {
    extensions: Vec<Extension>,
    /// Extensions whose number cannot stand in a path.
    odd: usize,
    /// What the source could not say, a sentence each.
    gaps: Vec<String>,
    /// The users whose extensions were asked for, one by one.
    users: Vec<Owner>,
    /// Why something is missing that may be told a while later.
    trouble: Option<Failure>,
}

impl Client {
    /// The extensions that are known: those typed in and those the sources list, asked one after
    /// the other. Each once, in the order of their numbers.
    ///
    /// # Errors
    /// Fails with the first failure when no source answers. Only a service that answers and
    /// refuses this one question, not the token, leaves it at the typed numbers and a remark.
    pub async fn extensions(
        &self,
        typed: &[Extension],
        sources: &[Source],
        trace: &mut Vec<Exchange>,
    ) -> Result<Discovery, Failure> {
        let mut said = Vec::new();
        for &source in sources {
            if source == Source::SystemApiForNone && !shows_none(&said) {
                continue;
            }
            let answer = match source {
                Source::Presence => self.present(self.presence_user(), trace).await,
                Source::SystemApi | Source::SystemApiForNone => self.system_listed(trace).await,
                Source::Details => Ok(self.details_of(typed, trace).await),
            };
            // The other source is on the same machine, and waiting for it would be as vain.
            let gone = |failure: &Failure| {
                matches!(failure.cause, Cause::Unreachable | Cause::Untrusted | Cause::Blocked)
            };
            let vain = answer.as_ref().is_err_and(gone);
            let asked = if source == Source::SystemApiForNone { Source::SystemApi } else { source };
            said.push((asked, answer));
            if vain {
                break;
            }
        }
        self.same_numbers(&mut said, trace).await;
        let mut found = self.to_session(merge(typed, said), trace)?;
        if self.target.is_of_flags {
            found.remarks.iter_mut().for_each(|remark| *remark = without_profile(remark));
            found.trouble = found.trouble.map(Failure::without_profile);
        }
        self.learn_owners(&found.extensions);
        Ok(found)
    }

    /// Who is asked for in presence: with `@owner` it has no list.
    fn presence_user(&self) -> &str {
        match self.target.user.as_str() {
            "@owner" => "@me",
            user => user,
        }
    }

    /// Asks presence for every phone of a user.
    async fn present(&self, user: &str, trace: &mut Vec<Exchange>) -> Result<Said, Failure> {
        let path = format!("{}/extensions/{user}/@self/presence", self.target.base_path());
        let take = |said: &mut Said, row: &wire::Facts<'_>| match ExtensionNumber::parse(
            row.extension(),
        ) {
            Ok(number) => said.extensions.push(phone(number)),
            Err(_) => said.odd += 1,
        };
        let read = self.rows(&path, trace, Said::default, take).await?;
        let mut said = read.all;
        if let Some(why) = read.end.why_not_whole() {
            said.gaps.push(format!(
                "presence may list more extensions than were read ({why}): name those that are \
                 missing under extensions in the profile"
            ));
        }
        Ok(said)
    }

    /// Asks SystemAPI for every type of extension, then for the users and what each owns. When nothing
    /// is answered, the first failure stands; a later one leaves a gap.
    async fn system_listed(&self, trace: &mut Vec<Exchange>) -> Result<Said, Failure> {
        let mut said = Said::default();
        let mut refused = None;
        for (place, (extension_type, _)) in soap::TYPES.into_iter().enumerate() {
            let question = Question::Extensions(extension_type, self.parent());
            match self.ask(&question, trace).await {
                Ok(rows) => said.take(rows, None),
                // What each user owns may be told all the same.
                Err(failure) if place == 0 && is_refusal_of_one_question(&failure) => {
                    refused = Some(failure);
                    break;
                }
                Err(failure) if place == 0 => return Err(failure),
                Err(failure) => {
                    said.meets(&failure);
                    // A refusal is about this type; anything else would only come again.
                    let rest = if is_rejected(&failure) { 1 } else { usize::MAX };
                    let types = soap::TYPES.iter().skip(place).take(rest);
                    let people: Vec<_> = types.map(|(_, people)| *people).collect();
                    said.gaps.push(format!(
                        "system_api could not list {} ({failure}): name them under extensions \
                         in the profile",
                        people.join(", ")
                    ));
                    if rest > 1 {
                        return Ok(said);
                    }
                }
            }
        }
        let users = match self.ask(&Question::Users, trace).await {
            Ok(rows) => rows.iter().filter_map(Row::user).collect(),
            // An account that may not see the users sees its own extensions.
            Err(failure) => {
                said.meets(&failure);
                Vec::new()
            }
        };
        match refused {
            Some(failure) if users.is_empty() => Err(failure),
            _ => {
                self.system_listed_by_owner(users, &mut said, trace).await;
                Ok(said)
            }
        }
    }

    /// The parent that is asked for beside the users: the profile's own, where it is a number.
    fn parent(&self) -> Option<UserId> {
        let user = &self.target.user;
        user.as_str().bytes().all(|byte| byte.is_ascii_digit()).then(|| user.clone())
    }

    /// A list without a parent does not say whose its extensions are, and may leave some out.
    async fn system_listed_by_owner(
        &self,
        users: Vec<Owner>,
        said: &mut Said,
        trace: &mut Vec<Exchange>,
    ) {
        let each = users.iter().flat_map(|user| soap::TYPES.iter().map(move |kind| (user, kind.0)));
        let each: Vec<_> = each.collect();
        let questions =
            each.iter().map(|(user, kind)| Question::Extensions(kind, Some(user.id.clone())));
        let answers = self.ask_all(questions.collect(), trace).await;
        let mut failures = Vec::new();
        for ((user, _), answer) in each.iter().zip(answers) {
            match answer {
                Some(Ok(rows)) => said.take(rows, Some(user)),
                Some(Err(failure)) => failures.push(failure),
                None => {}
            }
        }
        for failure in &failures {
            said.meets(failure);
        }
        if let Some(first) = failures.first() {
            said.gaps.push(format!(
                "system_api could not list what each user owns ({first}): read again with R, or \
                 name their extensions, as in extensions = [\"101/0003*211\"]"
            ));
        }
        said.users = users;
    }

    /// What SystemAPI says of numbers that were typed without their owner.
    async fn details_of(&self, typed: &[Extension], trace: &mut Vec<Exchange>) -> Said {
        let unowned = typed.iter().filter(|extension| extension.owner.is_none());
        let unowned: Vec<_> = unowned.map(|extension| extension.number.clone()).collect();
        let questions = unowned.iter().cloned().map(Question::Details).collect();
        let mut said = Said::default();
        for (number, answer) in unowned.into_iter().zip(self.ask_all(questions, trace).await) {
            // What is not told here the tries of a path find out.
            let Some(Ok(rows)) = answer else { continue };
            let told = rows.first().map(|row| row.of_number(number));
            said.extensions.extend(told);
        }
        said
    }

    /// Presence may write `200` where SystemAPI writes `0003*200`: they are one extension only where
    /// SystemAPI says so, and then the longer number is used.
    async fn same_numbers(
        &self,
        said: &mut [(Source, Result<Said, Failure>)],
        trace: &mut Vec<Exchange>,
    ) {
        let of = |source: Source| {
            let said = said.iter().filter(move |(from, _)| *from == source);
            said.filter_map(|(_, said)| said.as_ref().ok()).flat_map(|said| &said.extensions)
        };
        let mut extended: BTreeMap<&str, Vec<&ExtensionNumber>> = BTreeMap::new();
        for extension in of(Source::SystemApi) {
            if let Some((_, short)) = extension.number.as_str().split_once('*') {
                let numbers = extended.entry(short).or_default();
                if !numbers.contains(&&extension.number) {
                    numbers.push(&extension.number);
                }
            }
        }
        let pair = |extension: &Extension| match extended.get(extension.number.as_str())?.as_slice()
        {
            [one] => Some((extension.number.clone(), (*one).clone())),
            _ => None,
        };
        let pairs: Vec<_> = of(Source::Presence).filter_map(pair).collect();
        let questions = pairs.iter().map(|(_, extended)| Question::Details(extended.clone()));
        let answers = self.ask_all(questions.collect(), trace).await;
        let mut same: BTreeMap<ExtensionNumber, ExtensionNumber> = BTreeMap::new();
        for ((short, extended), answer) in pairs.into_iter().zip(answers) {
            let Some(Ok(rows)) = answer else { continue };
            if rows.iter().any(|row| row.text("extensionNo") == short.as_str()) {
                same.insert(short, extended);
            }
        }
        let present = said.iter_mut().filter(|(source, _)| *source == Source::Presence);
        for extension in
            present.filter_map(|(_, said)| said.as_mut().ok()).flat_map(|said| &mut said.extensions)
        {
            if let Some(extended) = same.get(&extension.number) {
                extension.number = extended.clone();
            }
        }
    }

    async fn ask(
        &self,
        question: &Question,
        trace: &mut Vec<Exchange>,
    ) -> Result<Vec<Row>, Failure> {
        let envelope = |token: &Secret| question.envelope(token.expose());
        let transport = &self.inner.transport;
        question.rows(&transport.ask(question.path(), question.action(), envelope, trace).await?)
    }

    /// Asks as many at once as may be in flight; the answers in the order of the questions. After a
    /// failure nothing more is asked: what is refused once is refused again, and refusals are counted.
    async fn ask_all(
        &self,
        questions: Vec<Question>,
        trace: &mut Vec<Exchange>,
    ) -> Vec<Option<Result<Vec<Row>, Failure>>> {
        let mut answers: Vec<_> = questions.iter().map(|_| None).collect();
        let mut waiting = questions.into_iter().enumerate();
        let mut asking = JoinSet::new();
        let mut failed = false;
        loop {
            while asking.len() < self.inner.concurrency.max(1) && !failed {
                let Some((place, question)) = waiting.next() else { break };
                let client = self.clone();
                asking.spawn(async move {
                    let mut trace = Vec::new();
                    (place, client.ask(&question, &mut trace).await, trace)
                });
            }
            match asking.join_next().await {
                None => return answers,
                Some(Ok((place, answer, exchanges))) => {
                    trace.extend(exchanges);
                    failed |= answer.is_err();
                    if let Some(slot) = answers.get_mut(place) {
                        *slot = Some(answer);
                    }
                }
                // A panic has told its story already; its place stays empty.
                Some(Err(_)) => {}
            }
        }
    }
}

impl Said {
    /// Whether it holds nothing at all.
    fn is_empty(&self) -> bool {
        self.extensions.is_empty() && self.odd == 0
    }

    /// How much it is; what is said of more than once counts once.
    fn seen_by(&self, source: Source) -> Seen {
        let numbers: BTreeSet<_> = self.extensions.iter().map(|one| &one.number).collect();
        let extensions = numbers.len() + self.odd;
        Seen { source, extensions, users: self.users.len() }
    }

    /// Takes in a failure of a part: the first that may pass counts.
    fn meets(&mut self, failure: &Failure) {
        if self.trouble.is_none() && failure.may_pass() {
            self.trouble = Some(failure.clone());
        }
    }

    /// Whether nothing speaks for more than what it holds.
    fn is_whole(&self) -> bool {
        self.gaps.is_empty() && self.odd == 0
    }

    /// Takes the rows of an answer, which belong to this user where one was asked for.
    fn take(&mut self, rows: Vec<Row>, owner: Option<&Owner>) {
        let listed = soap::listed(rows);
        let owned = listed.extensions.into_iter().map(|extension| match owner {
            Some(owner) => Extension { owner: Some(owner.clone()), ..extension },
            None => extension,
        });
        self.extensions.extend(owned);
        self.odd += listed.odd;
    }
}

/// Whether no source shows an extension, and another may: none was refused for the token, or is gone.
fn shows_none(said: &[(Source, Result<Said, Failure>)]) -> bool {
    said.iter().all(|(_, said)| match said {
        Ok(said) => said.is_empty(),
        Err(failure) => is_refusal_of_one_question(failure),
    })
}

fn phone(number: ExtensionNumber) -> Extension {
    Extension { kind: Some(ExtensionKind::Phone), ..Extension::of(number) }
}

/// Joins the typed numbers and what the sources said: each number once, with kind and label where
/// any source knows them; where two differ, the earlier one counts.
///
/// # Errors
/// The first source's failure, when all failed. Only a service that answers and refuses this one
/// question, not the token, leaves it at the typed numbers and remarks.
fn merge(
    typed: &[Extension],
    said: Vec<(Source, Result<Said, Failure>)>,
) -> Result<Discovery, Failure> {
    let answered = said.iter().any(|(source, said)| *source != Source::Details && said.is_ok());
    let system = said.iter().find(|(source, _)| *source == Source::SystemApi);
    let system = system.and_then(|(_, said)| said.as_ref().ok());
    let knows_all = system.is_some();
    // Presence may refuse the user of an organisation, who has no phones of its own.
    let knows_owners = system.is_some_and(|said| said.is_whole() && !said.users.is_empty());
    if let (false, Some((_, Err(first)))) = (answered, said.first())
        && (typed.is_empty() || !is_refusal_of_one_question(first))
    {
        return Err(first.clone());
    }
    let mut found: BTreeMap<ExtensionNumber, Extension> =
        typed.iter().map(|one| (one.number.clone(), one.clone())).collect();
    let mut remarks = Vec::new();
    let complete = said.iter().all(|(source, said)| match said {
        Ok(said) if *source == Source::Presence && said.is_empty() && !knows_all => false,
        Ok(said) => said.is_whole(),
        Err(failure) => *source == Source::Presence && knows_owners && is_rejected(failure),
    });
    let seen = said.iter().filter_map(|(source, said)| Some(said.as_ref().ok()?.seen_by(*source)));
    let seen = seen.collect();
    let mut troubles = said.iter().filter_map(|(_, said)| match said {
        Ok(said) => said.trouble.as_ref(),
        Err(failure) => Some(failure).filter(|failure| failure.may_pass()),
    });
    let trouble = troubles.next().cloned();
    for (source, said) in said {
        let name = source.name();
        match said {
            Ok(said) => {
                if source == Source::Presence && !knows_all {
                    let seen = if said.is_empty() { NO_PHONE } else { PHONES_ONLY };
                    remarks.push(seen.to_owned());
                }
                for extension in said.extensions {
                    take(&mut found, extension);
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
    Ok(Discovery { extensions: found.into_values().collect(), remarks, complete, seen, trouble })
}

fn take(found: &mut BTreeMap<ExtensionNumber, Extension>, extension: Extension) {
    let number = extension.number.clone();
    found.entry(number.clone()).or_insert_with(|| Extension::of(number)).learn(extension);
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

/// Whether the service refuses, whatever it says of why.
fn is_rejected(failure: &Failure) -> bool {
    failure.cause == Cause::Rejected
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

    fn typed(text: &str) -> Extension {
        Extension::of(number(text))
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
            &[typed("600"), typed("700")],
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
        let unseen = "presence lists ";
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
        let discovery = merge(&[typed("1")], none()).unwrap();
        assert_eq!((discovery.extensions.len(), discovery.remarks.len()), (1, 2));
        let none = vec![(Source::Presence, broken()), (Source::SystemApi, refused())];
        assert!(merge(&[typed("1")], none).is_err());
    }

    #[test]
    fn a_source_that_failed_or_was_cut_leaves_the_list_incomplete() {
        let complete = |said| merge(&[], said).unwrap().complete;
        assert!(complete(vec![]));
        let phone = extension("210", None, "");
        let phones = || said(std::slice::from_ref(&phone));
        assert!(complete(vec![(Source::Presence, phones())]), "what it cannot see is a remark");
        let nothing = merge(&[], vec![(Source::Presence, said(&[]))]).unwrap();
        assert!(!nothing.complete && nothing.remarks[0].contains("system_api"), "{nothing:?}");
        assert!(complete(vec![(Source::Presence, said(&[])), (Source::SystemApi, said(&[]))]));
        assert!(!complete(vec![(Source::Presence, said(&[])), (Source::SystemApi, broken())]));
        let cut = Ok(Said { gaps: vec!["gap".to_owned()], ..Said::default() });
        assert!(!complete(vec![(Source::Presence, cut), (Source::SystemApi, said(&[]))]));
        let refused = merge(&[typed("1")], vec![(Source::Presence, refused())]).unwrap();
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
