//! Transitions: keys and answers in, effects and state out, without a terminal or a network.

mod actions;
mod drift;

use std::time::Duration;

use crate::change::trial::loss_of;
use crate::change::{Act, Done, Route, Settled, judge};
use crate::domain::{
    CallForm, Cause, DeleteAnswer, Discovery, Extension, ExtensionNumber, Failure, Foreign,
    Listing, ListingBuilder, RawEvent, Target, UserId, WideCalls, Word,
};

use super::*;

mod browsing;
mod changes;
mod counting;
mod marking;
mod owners;
mod receipt;
mod telling;
mod unseen;

pub(crate) use telling::put_off;

pub(crate) fn facts() -> Facts {
    let user = UserId::parse("@me").unwrap();
    let target = Target::new("acme", "https://pbx.test", "/uapi", user).unwrap();
    Facts { concurrency: 2, ..Facts::of(target) }
}

fn number(text: &str) -> ExtensionNumber {
    ExtensionNumber::parse(text).unwrap()
}

/// Events as `type id`, three of them under CRM's old address.
fn listing(extension: &str, events: &str) -> Listing {
    let mut builder = ListingBuilder::new(number(extension));
    for event in events.split(',').filter(|event| !event.is_empty()) {
        let (event_type, id) = event.trim().split_once(' ').unwrap();
        let url =
            if id.starts_with('o') { "https://crm-old.test/in" } else { "https://crm.test/in" };
        builder.push(RawEvent {
            event_type,
            id,
            method: "1",
            url,
            status: "1",
            ..RawEvent::default()
        });
    }
    builder.finish(true)
}

/// An operator's desk: keys and answers go in, the model and its effects can be looked at.
pub(crate) struct Desk {
    pub(crate) model: Model,
    effects: Vec<Effect>,
    at: Duration,
}

impl Desk {
    /// Three extensions, each listed: `1` with four events, `2` with one, `3` with none.
    pub(crate) fn open() -> Self {
        Self::with(facts())
    }

    pub(crate) fn with(facts: Facts) -> Self {
        let mut desk = Self::before_listing(facts);
        desk.list("1", "0 a,0 o1,2 b,2 o2");
        desk.list("2", "1 c");
        desk.list("3", "");
        desk.effects.clear();
        desk
    }

    /// Nothing has been answered yet.
    pub(crate) fn just_started() -> Self {
        Self::on(facts())
    }

    pub(crate) fn on(facts: Facts) -> Self {
        let (model, effects) = Model::new(facts, 80, 24);
        Self { model, effects, at: Duration::ZERO }
    }

    /// The extensions are known, and none of their events.
    pub(crate) fn before_listing(facts: Facts) -> Self {
        let mut desk = Self::on(facts);
        let extensions = ["1", "2", "3"].map(|text| Extension::of(number(text))).to_vec();
        let discovery =
            Discovery { extensions, remarks: Vec::new(), complete: true, ..Discovery::default() };
        desk.take(Message::Discovered { result: Ok(discovery), exchanges: Vec::new() });
        desk
    }

    pub(crate) fn take(&mut self, message: Message) {
        self.at += Duration::from_millis(10);
        let now = Moment { since_start: self.at, ..Moment::default() };
        let effects = update(&mut self.model, message, now);
        self.effects.extend(effects);
    }

    pub(crate) fn list(&mut self, extension: &str, events: &str) {
        self.answer_listing(extension, 0, Ok(listing(extension, events)));
    }

    pub(crate) fn fail_listing(&mut self, extension: &str, failure: Failure) {
        self.answer_listing(extension, 0, Err(failure));
    }

    fn answer_listing(&mut self, extension: &str, epoch: u64, result: Result<Listing, Failure>) {
        let extension = number(extension);
        self.take(Message::Listed { extension, epoch, result, exchanges: Vec::new() });
    }

    /// When it is.
    pub(crate) fn now(&self) -> Duration {
        self.at
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.at += time;
    }

    /// What is to be done since this was last asked.
    pub(crate) fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Presses keys written with spaces between them and returns the effects of all.
    pub(crate) fn press(&mut self, keys: &str) -> Vec<Effect> {
        self.effects.clear();
        for name in keys.split_whitespace() {
            self.take(Message::Pressed(Key::parse(name).unwrap()));
            self.read_for_review();
            self.look();
        }
        std::mem::take(&mut self.effects)
    }

    /// As [`press`](Self::press), and nobody sees what comes of it.
    pub(crate) fn press_blindly(&mut self, keys: &str) -> Vec<Effect> {
        self.effects.clear();
        for name in keys.split_whitespace() {
            self.take(Message::Pressed(Key::parse(name).unwrap()));
            self.read_for_review();
        }
        std::mem::take(&mut self.effects)
    }

    /// The terminal shows the question that is open, and nothing arrives for a moment.
    pub(crate) fn look(&mut self) {
        let Some(picture) = self.model.asked_picture() else { return };
        if self.model.unread().is_some() {
            self.take(Message::Shown(picture));
            self.rest();
        }
    }

    /// Nothing arrives for a moment.
    pub(crate) fn rest(&mut self) {
        self.at += crate::looks::QUIET;
        self.take(Message::Waited);
        self.effects.retain(|effect| !matches!(effect, Effect::Wait(_)));
    }

    /// As [`press`](Self::press), and what a review asks for is not answered, nor is it shown.
    pub(crate) fn press_only(&mut self, keys: &str) -> Vec<Effect> {
        self.effects.clear();
        for name in keys.split_whitespace() {
            self.take(Message::Pressed(Key::parse(name).unwrap()));
        }
        std::mem::take(&mut self.effects)
    }

    /// Answers what `z` asked for, and every listing that an open review asked for: all is as it
    /// was.
    fn read_for_review(&mut self) {
        let asked = |effect: &Effect| matches!(effect, Effect::ReadWayBack(_));
        if let Some(place) = self.effects.iter().position(asked) {
            self.effects.remove(place);
            let loss = loss_of(&self.model.run().unwrap().machine);
            let route = Route::of(self.model.facts().target.clone());
            let read = RunRead { what: Box::new(loss), route, remarks: Vec::new() };
            self.take(Message::WayBackRead(Ok(read)));
        }
        while matches!(self.model.dialog(), Some(Dialog::Review(_)))
            && let Some(place) =
                self.effects.iter().position(|effect| matches!(effect, Effect::ListEvents { .. }))
        {
            let Effect::ListEvents { extension, epoch, .. } = self.effects.remove(place) else {
                break;
            };
            let result = Ok(self.as_it_is(&extension));
            self.take(Message::Listed { extension, epoch, result, exchanges: Vec::new() });
        }
    }

    /// The listing of an extension as it is in the store.
    pub(crate) fn as_it_is(&self, extension: &ExtensionNumber) -> Listing {
        let mut builder = ListingBuilder::new(extension.clone());
        let listing = self.model.store().listing(extension).unwrap();
        for event in (0..listing.len()).map(|row| listing.row(row).unwrap().to_event()) {
            let row = RawEvent {
                event_type: &event.key.event_type.number().to_string(),
                id: event.key.id.as_str(),
                method: event.method.written(),
                url: event.url.raw(),
                note: event.note.raw(),
                status: event.status.written(),
                modified: &event.modified.written(),
            };
            // Only what is read again is kept letter by letter.
            let url = event.url.raw();
            let text = format!("{{\"method\":1,\"url\":{url:?},\"note\":\"\",\"status\":1}}");
            builder.push_with_text(row, text.as_bytes());
        }
        builder.finish(true)
    }

    fn marked(&self) -> Vec<String> {
        let rows = self.model.store().marked_rows();
        rows.map(|(listing, row)| listing.row(row).unwrap().id().to_owned()).collect()
    }

    fn notice(&self) -> &str {
        self.model.current_notice().map_or("", |notice| notice.text.as_str())
    }

    fn review(&self) -> &Review {
        match self.model.dialog() {
            Some(Dialog::Review(review)) => review,
            other => panic!("no review but {other:?}; {}", self.notice()),
        }
    }

    fn calls(&self) -> Vec<String> {
        let Some(plan) = self.review().plan() else { return Vec::new() };
        let base = "/uapi/extensions/@me/";
        (0..plan.calls())
            .map(|call| plan.call(call).unwrap().path(plan.target()).replace(base, ""))
            .collect()
    }

    /// Says yes and lets the run file open.
    pub(crate) fn run(&mut self) -> Vec<Effect> {
        let effects = self.press("y");
        assert!(matches!(effects[..], [Effect::Act(Act::Open(_))]), "{effects:?}");
        self.take(Message::Done(Done::Opened(Ok("r1".to_owned()))));
        std::mem::take(&mut self.effects)
    }

    pub(crate) fn settle(&mut self, call: usize, works: bool) -> Vec<Effect> {
        let plan = std::sync::Arc::clone(self.model.run().unwrap().machine.plan());
        let ids = plan.covered(call).iter().map(|event| Foreign::from(event.key.id.as_str()));
        let answer = if works {
            Ok(DeleteAnswer { http_status: 200, ids: Some(ids.collect()) })
        } else {
            Err(Failure {
                http_status: Some(400),
                code: Foreign::from("pce_access_denied"),
                ..Failure::new(Cause::Rejected, "not allowed")
            })
        };
        let settled: Settled = judge(plan.covered(call), answer, Duration::from_millis(5), false);
        self.take(Message::Done(Done::Settled { call, settled, exchanges: Vec::new() }));
        self.verify();
        std::mem::take(&mut self.effects)
    }

    /// Answers a call of a simulated run as the line to the service does.
    pub(crate) fn simulate(&mut self, call: usize) -> Vec<Effect> {
        let plan = std::sync::Arc::clone(self.model.run().unwrap().machine.plan());
        let failure = Failure::new(Cause::Simulated, "simulated: not sent");
        let settled = judge(plan.covered(call), Err(failure), Duration::ZERO, false);
        self.take(Message::Done(Done::Settled { call, settled, exchanges: Vec::new() }));
        std::mem::take(&mut self.effects)
    }

    /// Answers every listing that the run asked for: the service has what is on the screen.
    fn verify(&mut self) {
        while let Some(place) =
            self.effects.iter().position(|effect| matches!(effect, Effect::Act(Act::List(_))))
        {
            let Effect::Act(Act::List(extension)) = self.effects.remove(place) else { break };
            let result = Ok(self.as_it_is(&extension));
            self.take(Message::Done(Done::Listed { extension, result, exchanges: Vec::new() }));
        }
    }
}

fn sent(effects: &[Effect]) -> Vec<usize> {
    let calls = effects.iter().filter_map(|effect| match effect {
        Effect::Act(Act::Send(call)) => Some(call.id()),
        _ => None,
    });
    calls.collect()
}

#[test]
fn the_program_starts_by_asking_for_extensions_with_the_cursor_on_the_first() {
    let (model, effects) = Model::new(facts(), 80, 24);
    assert_eq!(effects, [Effect::DiscoverExtensions, Effect::FindBrokenRuns]);
    assert_eq!((model.focus(), model.cursor(Panel::Extensions).at), (Panel::Extensions, 0));
}

#[test]
fn the_focused_extension_is_listed_first_and_no_more_at_once_than_allowed() {
    let mut desk = Desk::before_listing(facts());
    let asked = |desk: &mut Desk| -> Vec<String> {
        let effects = std::mem::take(&mut desk.effects).into_iter();
        effects
            .filter_map(|effect| match effect {
                Effect::ListEvents { extension, .. } => Some(extension.to_string()),
                _ => None,
            })
            .collect()
    };
    assert_eq!(asked(&mut desk), ["1", "2"]);
    desk.list("1", "");
    assert_eq!(asked(&mut desk), ["3"]);
}

#[test]
fn enter_goes_to_the_events_with_open_groups_and_the_cursor_on_the_first_type() {
    let mut desk = Desk::open();
    desk.press("enter");
    assert_eq!(desk.model.focus(), Panel::Events);
    assert_eq!((desk.model.events().len(), desk.model.cursor(Panel::Events).at), (6, 0));
    assert!(matches!(desk.model.events().line(0), Some(Line::Group { open: true, .. })));
}

#[test]
fn the_events_follow_the_cursor_of_the_extensions_once_it_rests_and_at_once_where_they_matter() {
    let shown = |desk: &Desk| desk.model.shown_extension().unwrap().number.to_string();
    let mut desk = Desk::open();
    let effects = desk.press("j j k");
    assert_eq!(shown(&desk), "1");
    let [Effect::Wait(rest)] = effects.as_slice() else { panic!("{effects:?}") };
    desk.at += *rest;
    // The cursor moved on meanwhile, so that there is a little more to wait.
    desk.at -= Duration::from_millis(30);
    desk.take(Message::Waited);
    assert_eq!(shown(&desk), "1");
    let [Effect::Wait(more)] = desk.effects.as_slice() else { panic!("{:?}", desk.effects) };
    assert!(more < rest);
    desk.at += *more;
    desk.take(Message::Waited);
    assert_eq!(shown(&desk), "2");
    // Whoever goes on with another key has the events of the row under the cursor.
    desk.press("k enter");
    assert_eq!((desk.model.focus(), shown(&desk).as_str()), (Panel::Events, "1"));
}

#[test]
fn a_cursor_that_comes_back_before_it_rested_asks_for_nothing_more() {
    let mut desk = Desk::open();
    assert_eq!(desk.press("j k").len(), 1);
    desk.at += Duration::from_secs(1);
    desk.effects.clear();
    desk.take(Message::Waited);
    assert!(desk.effects.is_empty());
}

#[test]
fn space_marks_an_event_and_steps_down_and_unmarks_it_again() {
    let mut desk = Desk::open();
    desk.press("enter j space");
    assert_eq!((desk.marked(), desk.model.cursor(Panel::Events).at), (vec!["a".to_owned()], 2));
    desk.press("k space");
    assert_eq!(desk.marked(), [""; 0]);
}

fn box_of(desk: &Desk, extension: &str) -> Boxed {
    let (store, number) = (desk.model.store(), number(extension));
    Boxed::of(store.marked_in(&number), store.listing(&number).map_or(0, Listing::len))
}

#[test]
fn space_on_a_type_marks_all_of_it_and_again_unmarks_it() {
    let mut desk = Desk::open();
    desk.press("enter space");
    assert_eq!(desk.marked(), ["a", "o1"]);
    let group = desk.model.events().group(0).unwrap();
    assert_eq!(Boxed::of(group.marked, group.listed), Boxed::All);
    assert_eq!(box_of(&desk, "1"), Boxed::Some);
    desk.press("k space");
    assert_eq!(desk.marked(), [""; 0]);
}

#[test]
fn space_on_an_extension_marks_all_of_its_events() {
    let mut desk = Desk::open();
    desk.press("space space");
    assert_eq!(desk.marked(), ["a", "o1", "b", "o2", "c"]);
    assert_eq!(box_of(&desk, "1"), Boxed::All);
    desk.press("k space");
    assert_eq!(desk.marked(), ["a", "o1", "b", "o2"]);
}

#[test]
fn a_marks_the_type_under_the_cursor_and_never_unmarks() {
    let mut desk = Desk::open();
    desk.press("enter j a a");
    assert_eq!(desk.marked(), ["a", "o1"]);
    desk.press("1 a");
    assert!(desk.notice().contains("Events (2)"));
}

#[test]
fn capital_a_marks_what_is_visible_and_says_what_a_filter_left_out() {
    let mut desk = Desk::open();
    desk.press("enter / o l d enter A");
    assert_eq!(desk.marked(), ["o1", "o2"]);
    assert!(desk.notice().contains("2 more are outside the filter \"old\""), "{}", desk.notice());
    desk.press("esc A");
    assert_eq!(desk.marked(), ["a", "o1", "b", "o2"]);
    assert_eq!(desk.notice(), "");
}

#[test]
fn i_turns_the_visible_marks_around() {
    let mut desk = Desk::open();
    desk.press("enter j space i");
    assert_eq!(desk.marked(), ["o1", "b", "o2"]);
    desk.press("i");
    assert_eq!(desk.marked(), ["a"]);
}

#[test]
fn capital_u_takes_every_mark_away() {
    let mut desk = Desk::open();
    desk.press("A U");
    assert_eq!((desk.marked().len(), desk.notice()), (0, "5 marks cleared; u takes that back"));
}

#[test]
fn marks_outlive_a_filter_and_the_header_knows_how_many_are_hidden() {
    let mut desk = Desk::open();
    desk.press("enter A / o l d enter");
    assert_eq!((desk.model.store().marked(), desk.model.hidden_marks()), (4, 2));
    desk.press("esc");
    assert_eq!(desk.model.hidden_marks(), 0);
}

#[test]
fn esc_while_typing_takes_the_filter_back_and_enter_keeps_it() {
    let mut desk = Desk::open();
    desk.press("enter / o l d esc");
    assert!(desk.model.filter(Panel::Events).is_empty());
    desk.press("/ o l x backspace d enter");
    assert_eq!(desk.model.filter(Panel::Events).text(), "old");
    assert_eq!(desk.model.events().arrangement().len(), 2);
}

#[test]
fn while_a_filter_makes_no_sense_the_last_one_that_did_stays_in_force() {
    let mut desk = Desk::open();
    desk.press("enter / o l d");
    desk.press("space t y p e : enter");
    assert_eq!(desk.model.filter(Panel::Events).text(), "old type");
    let Some(Dialog::Filter(prompt)) = desk.model.dialog() else {
        panic!("Enter kept what is no filter");
    };
    let column = prompt.refused().map(|error| error.column);
    assert_eq!((column, prompt.line().text()), (Some(10), "old type:"));
    desk.press("ctrl-u t y p e : 2 enter");
    assert!(desk.model.dialog().is_none());
    assert_eq!(desk.model.filter(Panel::Events).text(), "type:2");
}

/// The extensions that their panel shows.
fn shown(desk: &Desk) -> Vec<&str> {
    let rows = desk.model.extensions().visible();
    rows.map(|extension| extension.number.as_str()).collect()
}

fn filter_with(desk: &mut Desk, text: &str) {
    desk.press("1 / ctrl-u");
    desk.take(Message::Pasted(text.to_owned()));
    desk.press("enter");
}

#[test]
fn extensions_are_filtered_by_the_events_that_they_have() {
    let mut desk = Desk::open();
    for (text, numbers) in [
        ("type:2", &["1"][..]),
        ("type:2 id:a", &[]),
        ("type:0|1", &["1", "2"]),
        ("-type:1", &["1"]),
        ("2 type:1", &["2"]),
        ("1 type:1", &[]),
        ("o1", &[]),
        ("id:o1", &["1"]),
        ("id:o1 -ext:1", &[]),
        ("ext:*", &["1", "2", "3"]),
    ] {
        filter_with(&mut desk, text);
        assert_eq!(shown(&desk), numbers, "{text}");
    }
    let passed = |desk: &Desk| desk.model.extensions().passed_over().in_words("extension");
    filter_with(&mut desk, "modified:2024");
    assert_eq!(
        (shown(&desk).len(), passed(&desk)),
        (0, "2 extensions passed over: their date cannot be read".to_owned())
    );
    filter_with(&mut desk, "-kind:queue");
    assert_eq!(
        (shown(&desk).len(), passed(&desk)),
        (0, "3 extensions passed over: their kind is not known".to_owned())
    );
    desk.press("esc");
    assert_eq!((shown(&desk).len(), passed(&desk)), (3, String::new()));
}

#[test]
fn filters_by_marks_follow_the_marks() {
    let mut desk = Desk::open();
    desk.press("enter j space");
    filter_with(&mut desk, "is:marked");
    assert_eq!(shown(&desk), ["1"]);
    desk.press("2 /");
    desk.take(Message::Pasted("-is:marked".to_owned()));
    desk.press("enter");
    assert_eq!((desk.model.events().arrangement().len(), desk.model.hidden_marks()), (3, 1));
    desk.press("G space");
    assert_eq!((desk.model.events().arrangement().len(), desk.model.hidden_marks()), (2, 2));
    desk.press("U");
    assert!(shown(&desk).is_empty());
    desk.press("1 esc");
    assert_eq!((desk.model.events().arrangement().len(), desk.model.hidden_marks()), (4, 0));
}

#[test]
fn extensions_come_and_go_with_their_events_and_the_cursor_stays() {
    let mut desk = Desk::before_listing(facts());
    filter_with(&mut desk, "type:2");
    assert!(shown(&desk).is_empty(), "nothing is listed yet");
    desk.list("2", "2 b,0 a");
    desk.list("3", "2 b,2 c");
    desk.press("j");
    desk.list("1", "2 a,2 x");
    assert_eq!(
        (shown(&desk), desk.model.extensions().current().unwrap().number.as_str()),
        (vec!["1", "2", "3"], "3")
    );
    filter_with(&mut desk, "type:2 id:a|b modified:>2000|<2000");
    assert_eq!(
        desk.model.extensions().passed_over().in_words("extension"),
        "3 extensions passed over: their date cannot be read"
    );
    filter_with(&mut desk, "type:2 id:a|b");
    desk.press("G space");
    assert_eq!((desk.marked().len(), desk.model.hidden_marks()), (2, 0));
    desk.list("3", "2 c,2 d");
    assert_eq!(
        (shown(&desk), desk.model.hidden_marks()),
        (vec!["1", "2"], 1),
        "its mark is hidden now"
    );
    desk.list("1", "0 a");
    assert_eq!(shown(&desk), ["2"]);
}

#[test]
fn what_is_typed_into_a_filter_is_never_a_command() {
    let mut desk = Desk::open();
    desk.press("/ d y q A space");
    assert_eq!(desk.model.filter(Panel::Extensions).text(), "dyqA ");
    assert_eq!((desk.marked().len(), desk.model.leaving()), (0, &Leaving::No));
}

#[test]
fn pasted_text_is_never_taken_as_keys() {
    let mut desk = Desk::open();
    desk.take(Message::Pasted("Ady".to_owned()));
    assert!(desk.model.dialog().is_none() && desk.marked().is_empty());
    desk.press("/");
    desk.take(Message::Pasted("2\n".to_owned()));
    assert_eq!(desk.model.filter(Panel::Extensions).text(), "2");
}

#[test]
fn a_mark_on_an_extension_that_is_not_listed_lists_it_first_and_marks_then() {
    let mut desk = Desk::before_listing(facts());
    desk.press("space");
    assert!(desk.marked().is_empty());
    desk.press("d");
    assert!(desk.model.dialog().is_none() && desk.notice().contains("still reading 1"));
    desk.list("1", "0 a,1 b");
    assert_eq!(desk.marked(), ["a", "b"]);
}

#[test]
fn a_mark_on_an_extension_that_cannot_be_listed_marks_nothing_and_says_so() {
    let mut desk = Desk::before_listing(facts());
    desk.press("space");
    desk.answer_listing("1", 0, Err(Failure::new(Cause::Rejected, "no such extension")));
    assert!(desk.marked().is_empty());
    assert!(desk.notice().contains("no such extension"), "{}", desk.notice());
}

#[test]
fn reading_again_keeps_marks_and_cursor_on_their_events() {
    let mut desk = Desk::open();
    desk.press("enter j j space k");
    let effects = desk.press("R");
    assert_eq!(effects, [Effect::ListEvents { extension: number("1"), epoch: 0, below: None }]);
    desk.list("1", "0 new,0 a,0 o1");
    assert_eq!(desk.marked(), ["o1"]);
    let Some(Line::Event { place, .. }) = desk.model.events().current() else { panic!() };
    let row = desk.model.events().event(place, desk.model.store()).map(|(_, row)| row);
    assert_eq!(row, Some(2));
}

#[test]
fn the_review_shows_literal_calls_and_opening_it_does_nothing() {
    let mut desk = Desk::open();
    let effects = desk.press("enter j space d");
    assert_eq!(effects, []);
    assert_eq!(desk.calls(), ["1/phoneCallEvents/0/a"]);
}

#[test]
fn d_without_marks_reviews_the_event_under_the_cursor_and_nothing_more() {
    let mut desk = Desk::open();
    desk.press("enter j d");
    assert_eq!(desk.calls(), ["1/phoneCallEvents/0/a"]);
    assert!(desk.review().layout().pinned[0].contains("only the event under the cursor"));
    for (keys, told) in [
        ("n k d", "nothing is marked: space marks these 2 events"),
        ("1 d", "nothing is marked: space marks these 4 events"),
        ("j d", "nothing is marked: space marks this event"),
        ("3 d", "nothing is marked: space marks in Extensions (1) and Events (2)"),
        ("1 k 2 / x x enter d", "the filter hides every event here; Esc clears it"),
    ] {
        desk.press(keys);
        assert!(desk.model.dialog().is_none(), "{keys}");
        assert_eq!(desk.notice(), told, "{keys}");
    }
}

#[test]
fn in_the_review_only_y_deletes() {
    for keys in ["n", "esc", "q", "enter n", "d n", "x n", "ctrl-d n", "space n", "ctrl-c"] {
        let mut desk = Desk::open();
        desk.press("enter j space d");
        assert_eq!(desk.press(keys), [], "{keys}");
        assert!(desk.model.dialog().is_none(), "{keys}");
        assert_eq!(desk.marked(), ["a"], "{keys}");
    }
    let mut desk = Desk::open();
    desk.press("enter j space d");
    assert_eq!(sent(&desk.run()), [0]);
}

#[test]
fn a_hidden_mark_has_to_be_confirmed_by_typing_the_number() {
    let mut desk = Desk::open();
    desk.press("enter A / o l d enter d");
    assert!(desk.review().must_type() && !desk.review().is_armed());
    assert_eq!(desk.press("y"), []);
    assert!(desk.notice().contains("type 4"));
    assert_eq!(desk.press("5 y"), []);
    desk.press("backspace 4");
    assert!(desk.review().is_armed());
    assert!(matches!(desk.press("y")[..], [Effect::Act(Act::Open(_))]));
}

#[test]
fn more_than_ten_events_and_a_protected_profile_have_to_be_typed_and_ten_do_not() {
    let eleven: Vec<String> = (0..11).map(|id| format!("0 e{id}")).collect();
    for (events, protected, must_type) in [(11, false, true), (10, false, false), (1, true, true)] {
        let mut desk = Desk::before_listing(Facts { protected, ..facts() });
        desk.list("1", &eleven[..events].join(","));
        desk.press("space d");
        assert_eq!(desk.review().must_type(), must_type, "{events}");
    }
}

#[test]
fn a_review_begins_with_event_calls_and_t_goes_round_as_far_as_profile_and_marks_allow() {
    let wide_calls = WideCalls { extension: true, event_type: true };
    let mut desk = Desk::with(Facts { wide_calls, ..facts() });
    let single = ["1/phoneCallEvents/0/a", "1/phoneCallEvents/0/o1"];
    desk.press("space d");
    assert_eq!((desk.calls().len(), desk.review().form()), (4, CallForm::Event));
    desk.press("t");
    assert_eq!(desk.calls(), ["1/phoneCallEvents"]);
    assert!(desk.notice().contains("takes all that is there"));
    desk.press("t");
    assert_eq!(desk.calls(), ["1/phoneCallEvents/0", "1/phoneCallEvents/2"]);
    assert!(desk.notice().contains("this PBX may delete all types"));
    desk.press("t");
    assert_eq!((desk.calls().len(), desk.review().form()), (4, CallForm::Event));
    // Of one type only the type form fits, and of one event none.
    desk.press("n U k enter space d t");
    assert_eq!(desk.calls(), ["1/phoneCallEvents/0"]);
    desk.press("t");
    assert_eq!(desk.calls(), single);
    desk.press("n U 2 j space d t");
    assert_eq!((desk.calls().len(), desk.review().form()), (1, CallForm::Event));
    assert!(desk.notice().contains("no wide call fits"), "{}", desk.notice());
}

#[test]
fn a_form_that_the_profile_does_not_name_cannot_be_chosen() {
    let mut desk = Desk::open();
    desk.press("space d t t");
    assert_eq!(desk.review().form(), CallForm::Event);
    let wide_calls = WideCalls { extension: false, event_type: false };
    let mut desk = Desk::with(Facts { wide_calls, ..facts() });
    desk.press("space d t");
    assert_eq!(desk.calls().len(), 4);
    assert!(desk.notice().contains("wide_calls"));
}

#[test]
fn another_form_has_to_be_looked_at_before_a_yes_counts() {
    let mut desk = Desk::open();
    desk.press("space d");
    desk.press_only("t y");
    assert!(desk.notice().starts_with("not yet"), "{}", desk.notice());
    desk.look();
    assert!(matches!(desk.press("y")[..], [Effect::Act(Act::Open(_))]));
}

#[test]
fn what_was_typed_for_other_calls_does_not_confirm_these() {
    let mut desk = Desk::with(Facts { protected: true, ..facts() });
    desk.press("space d 4");
    assert!(desk.review().is_armed());
    desk.press("t");
    assert!(!desk.review().is_armed());
}

#[test]
fn a_listing_that_comes_in_while_the_review_is_open_does_not_change_the_plan() {
    let mut desk = Desk::open();
    desk.press("enter j space d");
    let before = desk.review().plan().unwrap().hash().clone();
    desk.list("1", "0 z,2 b");
    assert_eq!(desk.review().plan().unwrap().hash(), &before);
    assert_eq!(desk.calls(), ["1/phoneCallEvents/0/a"]);
}

#[test]
fn a_read_only_profile_opens_no_run() {
    let mut desk = Desk::with(Facts { read_only: true, ..facts() });
    desk.press("space d");
    assert_eq!(desk.press("y"), []);
    assert!(desk.notice().contains("read-only"));
}

#[test]
fn a_plan_larger_than_the_profile_allows_does_not_even_open_a_review() {
    let mut desk = Desk::with(Facts { max_delete: 3, ..facts() });
    desk.press("space d");
    assert!(desk.model.dialog().is_none());
    assert!(desk.notice().contains("max_delete"));
}

#[test]
fn nothing_is_sent_before_the_run_file_is_on_disk_and_nothing_at_all_without_it() {
    let mut desk = Desk::open();
    desk.press("enter j space d y");
    desk.take(Message::Done(Done::Opened(Err(Failure::new(Cause::Withheld, "disk full")))));
    assert_eq!(sent(&desk.effects), [0; 0]);
    assert!(desk.notice().contains("nothing was sent: disk full"));
    assert_eq!(desk.marked(), ["a"]);
}

#[test]
fn each_answer_brings_the_next_call_and_what_failed_keeps_its_mark_and_its_reason() {
    let mut desk = Desk::open();
    desk.press("enter A d");
    assert_eq!(sent(&desk.run()), [0, 1]);
    assert_eq!(sent(&desk.settle(1, false)), [2]);
    assert_eq!(sent(&desk.settle(0, true)), [3]);
    desk.settle(2, true);
    let last = desk.settle(3, true);
    assert!(matches!(last[..], [Effect::Act(Act::Close(_))]), "{last:?}");
    assert_eq!(desk.marked(), ["o1"]);
    let (listing, row) = desk.model.store().marked_rows().next().unwrap();
    let key = listing.row(row).unwrap().key();
    assert_eq!(desk.model.failure_of(&key).unwrap().code.raw(), "pce_access_denied");
    desk.take(Message::Done(Done::Closed(Ok(()))));
    assert_eq!(desk.press("r"), [Effect::ReadRest("r1".to_owned())]);
}

#[test]
fn esc_stops_a_run_after_what_is_in_flight_and_the_rest_keeps_its_marks() {
    let mut desk = Desk::open();
    desk.press("enter A d");
    desk.run();
    assert_eq!(sent(&desk.press("esc")), [0; 0]);
    assert!(desk.notice().contains("2 calls in flight"));
    desk.settle(0, true);
    let last = desk.settle(1, true);
    assert!(matches!(last[..], [Effect::Act(Act::Close(_))]));
    assert_eq!(desk.marked(), ["b", "o2"]);
    assert_eq!(desk.model.run().unwrap().machine.tally().of(Word::NotSent), 2);
}

#[test]
fn p_holds_a_run_and_goes_on() {
    let mut desk = Desk::open();
    desk.press("enter A d");
    desk.run();
    desk.press("p");
    assert_eq!(sent(&desk.settle(0, true)), [0; 0]);
    assert_eq!(sent(&desk.press("p")), [2]);
}

#[test]
fn a_second_review_during_a_run_is_refused() {
    let mut desk = Desk::open();
    desk.press("enter A d");
    desk.run();
    desk.press("d");
    assert!(desk.model.dialog().is_none() && desk.notice().contains("a run is going on"));
}

#[test]
fn a_run_that_may_not_send_stops_at_once() {
    let mut desk = Desk::open();
    desk.press("enter A d");
    desk.run();
    let plan = std::sync::Arc::clone(desk.model.run().unwrap().machine.plan());
    let failure = Failure::new(Cause::Withheld, "the run file cannot be written");
    let settled = judge(plan.covered(0), Err(failure), Duration::ZERO, false);
    desk.take(Message::Done(Done::Settled { call: 0, settled, exchanges: Vec::new() }));
    assert_eq!(sent(&desk.effects), [0; 0]);
    desk.settle(1, true);
    assert_eq!(desk.model.run().unwrap().machine.tally().of(Word::NotSent), 3);
    assert_eq!(desk.marked(), ["a", "b", "o2"]);
}

#[test]
fn q_goes_back_then_quits() {
    let mut desk = Desk::open();
    desk.press("enter q");
    assert_eq!((desk.model.focus(), desk.model.leaving()), (Panel::Extensions, &Leaving::No));
    desk.press("q");
    assert_eq!(desk.model.leaving(), &Leaving::Now { message: None });
}

#[test]
fn leaving_during_a_run_asks_and_waits_for_what_is_in_flight() {
    let mut desk = Desk::open();
    desk.press("A d");
    desk.run();
    desk.press("q q n");
    assert_eq!(desk.model.leaving(), &Leaving::No);
    desk.press("q y");
    desk.settle(0, true);
    assert_eq!(desk.model.leaving(), &Leaving::WhenSettled);
    desk.settle(1, true);
    assert_eq!(desk.model.leaving(), &Leaving::WhenSettled, "the run file is still open");
    desk.take(Message::Done(Done::Closed(Ok(()))));
    assert_eq!(desk.model.leaving(), &Leaving::Now { message: None });
}

#[test]
fn leaving_a_paused_run_and_one_just_over_waits_for_the_last_line_of_the_run_file() {
    let mut desk = Desk::open();
    desk.press("A d");
    desk.run();
    desk.press("p");
    desk.settle(0, true);
    desk.settle(1, true);
    assert!(matches!(desk.press("q q y")[..], [Effect::Act(Act::List(_))]));
    desk.take(Message::Done(Done::Listed {
        extension: number("1"),
        result: Ok(listing("1", "2 b,2 o2")),
        exchanges: Vec::new(),
    }));
    assert!(matches!(desk.effects[..], [Effect::Act(Act::Close(_))]));
    assert_eq!(desk.model.leaving(), &Leaving::WhenSettled);
    desk.take(Message::Done(Done::Closed(Ok(()))));
    assert_eq!(desk.model.leaving(), &Leaving::Now { message: None });

    let mut desk = Desk::open();
    desk.press("enter j space d");
    desk.run();
    desk.settle(0, true);
    desk.press("q q");
    assert_eq!(desk.model.leaving(), &Leaving::WhenSettled);
    desk.take(Message::Done(Done::Closed(Ok(()))));
    assert_eq!(desk.model.leaving(), &Leaving::Now { message: None });
}

#[test]
fn a_run_is_called_over_once_its_file_is_closed_and_can_be_undone_from_then_on() {
    let mut desk = Desk::open();
    desk.press("enter j space d");
    desk.run();
    desk.settle(0, true);
    assert!(!desk.notice().contains("z undoes it"), "{}", desk.notice());
    desk.press("z");
    assert!(desk.notice().contains("a run is going on"), "{}", desk.notice());
    desk.take(Message::Done(Done::Closed(Ok(()))));
    assert!(desk.notice().contains("z undoes it"), "{}", desk.notice());
    desk.press("z");
    assert!(matches!(desk.model.dialog(), Some(Dialog::Review(review)) if review.is_of_undo()));
}

#[test]
fn a_terminal_without_keys_ends_the_program() {
    let mut desk = Desk::open();
    desk.take(Message::InputEnded);
    assert_eq!(desk.model.leaving(), &Leaving::Now { message: None });
}

#[test]
fn ctrl_c_twice_within_a_second_leaves_at_once_and_counts_what_is_unknown() {
    let mut desk = Desk::open();
    desk.press("A d");
    desk.run();
    desk.press("ctrl-c");
    assert_eq!(desk.model.leaving(), &Leaving::No);
    desk.press("ctrl-c");
    match desk.model.leaving() {
        Leaving::Now { message: Some(text) } => assert!(text.contains("2 calls in flight")),
        other => panic!("{other:?}"),
    }
    let mut desk = Desk::open();
    desk.press("ctrl-c");
    desk.at += Duration::from_secs(2);
    desk.press("ctrl-c");
    assert_eq!(desk.model.leaving(), &Leaving::No);
}

#[test]
fn a_service_of_which_no_wait_mends_what_is_wrong_ends_the_program_with_its_sentence() {
    let (model, effects) = Model::new(facts(), 80, 24);
    let mut desk = Desk { model, effects, at: Duration::ZERO };
    let dead = Failure::new(Cause::Unreachable, "pbx.test refused the connection");
    desk.take(Message::Discovered { result: Err(dead), exchanges: Vec::new() });
    assert_eq!(desk.model.leaving(), &Leaving::No, "that may pass");
    let failure = Failure::new(Cause::Untrusted, "its certificate is not trusted");
    desk.take(Message::Discovered { result: Err(failure), exchanges: Vec::new() });
    let message = Some("its certificate is not trusted".to_owned());
    assert_eq!(desk.model.leaving(), &Leaving::Now { message });
}

#[test]
fn a_service_that_cannot_be_read_again_leaves_everything_as_it_was() {
    let mut desk = Desk::open();
    desk.press("space");
    assert_eq!(desk.press("R")[0], Effect::DiscoverExtensions);
    let failure = Failure::new(Cause::Unreachable, "no route");
    desk.take(Message::Discovered { result: Err(failure), exchanges: Vec::new() });
    assert_eq!((desk.marked().len(), desk.model.leaving()), (4, &Leaving::No));
    assert!(desk.notice().contains("no route"));
}

#[test]
fn marks_of_an_extension_that_is_not_found_any_more_go_and_are_told_of() {
    let mut desk = Desk::open();
    desk.press("A R");
    let extensions = vec![Extension::of(number("2"))];
    let discovery =
        Discovery { extensions, remarks: Vec::new(), complete: true, ..Discovery::default() };
    desk.take(Message::Discovered { result: Ok(discovery), exchanges: Vec::new() });
    assert_eq!(desk.marked(), ["c"]);
    assert!(desk.notice().contains("4 marks cleared"), "{}", desk.notice());
}

#[test]
fn an_answer_from_before_a_deletion_does_not_bring_the_event_back() {
    let mut desk = Desk::open();
    desk.press("enter j space R d");
    desk.run();
    let again = desk.settle(0, true);
    desk.answer_listing("1", 0, Ok(listing("1", "0 a,0 o1,2 b,2 o2")));
    assert_eq!(desk.model.store().listing(&number("1")).unwrap().len(), 3);
    let asked = again.iter().chain(&desk.effects).any(|effect| {
        *effect == Effect::ListEvents { extension: number("1"), epoch: 2, below: None }
    });
    assert!(asked, "{again:?} {:?}", desk.effects);
}

#[test]
fn an_effect_that_panicked_ends_the_program() {
    let mut desk = Desk::open();
    desk.take(Message::Panicked);
    assert!(matches!(desk.model.leaving(), Leaving::Now { message: Some(_) }));
}

#[test]
fn groups_close_and_open_and_h_walks_back() {
    let mut desk = Desk::open();
    desk.press("enter h");
    assert_eq!((desk.model.events().len(), desk.model.focus()), (4, Panel::Events));
    desk.press("l j j");
    assert_eq!((desk.model.events().len(), desk.model.cursor(Panel::Events).at), (6, 2));
    desk.press("h");
    assert_eq!(desk.model.cursor(Panel::Events).at, 0);
    desk.press("h h");
    assert_eq!(desk.model.focus(), Panel::Extensions);
}

#[test]
fn digits_and_tab_focus_panels_and_the_marked_panel_unmarks() {
    let mut desk = Desk::open();
    desk.press("enter A 4");
    assert_eq!(desk.model.focus(), Panel::Marked);
    desk.press("j j space");
    assert_eq!(desk.marked(), ["a", "b", "o2"]);
    desk.press("g g space");
    assert_eq!(desk.marked(), [""; 0]);
    desk.press("1 tab tab tab");
    assert_eq!(desk.model.focus(), Panel::Extensions);
    desk.press("backtab");
    assert_eq!(desk.model.focus(), Panel::Status);
}

#[test]
fn a_simulated_run_asks_for_no_listing_that_is_younger_than_a_minute() {
    let mut desk = Desk::open();
    desk.pass(Duration::from_secs(61));
    desk.press("enter A d");
    let first = desk.press_only("s");
    assert!(matches!(first[..], [Effect::Act(Act::Send(_)), ..]), "{first:?}");
}

#[test]
fn a_simulated_run_sends_nothing_writes_no_run_file_and_keeps_every_mark() {
    let mut desk = Desk::open();
    desk.press("enter A d");
    let first = desk.press("s");
    let simulated =
        |effect: &Effect| matches!(effect, Effect::Act(Act::Send(call)) if call.is_simulated());
    assert!(first.len() == 2 && first.iter().all(simulated), "{first:?}");
    assert!(desk.model.is_simulating() && desk.model.dialog().is_none());
    for call in 0..4 {
        let next = desk.simulate(call);
        assert!(next.iter().all(simulated), "{next:?}");
    }
    assert!(!desk.model.is_running());
    assert_eq!((desk.marked().len(), desk.model.store().len()), (4, 5));
    let listing = desk.model.store().listing(&number("1")).unwrap();
    assert!(desk.model.failure_of(&listing.row(0).unwrap().key()).is_none());
    desk.press("d");
    assert_eq!(desk.calls().len(), 4);
}

#[test]
fn the_program_can_be_left_during_a_simulated_run() {
    let mut desk = Desk::open();
    desk.press("enter A d s 1 q y");
    desk.simulate(0);
    assert_eq!(desk.model.leaving(), &Leaving::WhenSettled);
    desk.simulate(1);
    assert_eq!(desk.model.leaving(), &Leaving::Now { message: None });
}

/// What the one effect of these keys copies, and how it is called.
fn copied(desk: &mut Desk, keys: &str) -> (String, String) {
    match &desk.press(keys)[..] {
        [Effect::Copy { what, text }] => (what.clone(), text.clone()),
        other => panic!("{other:?}; {}", desk.notice()),
    }
}

#[test]
fn c_in_the_review_copies_its_calls_for_a_shell_without_the_token_and_changes_nothing() {
    let mut desk = Desk::open();
    desk.press("enter space d");
    let (what, text) = copied(&mut desk, "c");
    let line = |id: &str| {
        let url = format!("https://pbx.test/uapi/extensions/@me/1/phoneCallEvents/0/{id}");
        format!("curl -X DELETE -H \"Authorization: Bearer $CALLSWEEP_TOKEN\" '{url}'\n")
    };
    assert_eq!((what.as_str(), text), ("2 calls", line("a") + &line("o1")));
    assert_eq!(desk.calls().len(), 2);
    desk.take(Message::Copied { what, result: Ok(()) });
    assert_eq!(desk.notice(), "sent to the terminal: 2 calls");
    let result = Err("too much".to_owned());
    desk.take(Message::Copied { what: "2 calls".to_owned(), result });
    assert_eq!(desk.notice(), "not copied: too much");
}

#[test]
fn c_copies_the_row_under_the_cursor_and_capital_c_every_row_of_the_panel() {
    let mut desk = Desk::open();
    let (what, text) = copied(&mut desk, "enter j space c");
    assert_eq!(what, "1 row");
    assert_eq!(text, "1 Dial-In o1 POST https://crm-old.test/in on\n");
    let (what, text) = copied(&mut desk, "C");
    assert_eq!((what.as_str(), text.lines().count()), ("6 rows", 6));
    let (_, text) = copied(&mut desk, "4 C");
    assert_eq!(text.lines().next(), Some("1: 1 event marked"));
    assert_eq!(desk.press("1 y"), []);
    assert_eq!(desk.notice(), "y only confirms a review; c copies");
    desk.press("2 j d");
    desk.run();
    desk.settle(0, false);
    let (_, text) = copied(&mut desk, "3 c");
    let path = "/uapi/extensions/@me/1/phoneCallEvents/0/a";
    let said = "pce_access_denied: not allowed";
    assert_eq!(text, format!("refused 400 DELETE {path} {said}\n"));
}

#[test]
fn what_is_copied_is_cleaned() {
    let mut desk = Desk::open();
    let mut builder = ListingBuilder::new(number("1"));
    let hostile = "\u{1b}]52;c;x\u{7}\u{202e}\u{9b}\n";
    let (method, status, modified) = (hostile, hostile, hostile);
    let (url, note) = (hostile, hostile);
    builder.push(RawEvent { event_type: "0", id: "a", method, url, note, status, modified });
    builder.push(RawEvent { event_type: hostile, id: hostile, ..RawEvent::default() });
    desk.answer_listing("1", 0, Ok(builder.finish(true)));
    let (_, text) = copied(&mut desk, "enter C");
    let acts = |character: char| character.is_control() && character != '\n';
    assert!(!text.chars().any(acts) && !text.contains('\u{202e}'), "{text:?}");
    assert_eq!(text.lines().count(), 3, "{text:?}");
}

#[test]
fn a_signal_ends_the_program_at_once_and_in_a_run_once_nothing_is_in_flight() {
    let mut desk = Desk::open();
    desk.take(Message::AskedToEnd { signal: 15 });
    assert_eq!(desk.model.leaving(), &Leaving::Now { message: None });

    let mut desk = Desk::open();
    desk.press("A d");
    desk.run();
    desk.take(Message::AskedToEnd { signal: 15 });
    assert_eq!(desk.model.leaving(), &Leaving::WhenSettled);
    desk.settle(0, true);
    let last = desk.settle(1, true);
    assert!(
        matches!(last[..], [Effect::Act(Act::Close(_))]),
        "nothing is listed in haste: {last:?}"
    );
    desk.take(Message::Done(Done::Closed(Ok(()))));
    assert_eq!(desk.model.leaving(), &Leaving::Now { message: None });
}
