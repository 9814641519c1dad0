//! Nothing goes out that the terminal has not shown: random streams of keys, pastes, reports, sizes,
//! stalls and answers against the model, with the real framing of input and the real line out.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::app::tests::Desk;
use crate::app::{Dialog, Effect, Message, Model};
use crate::change::{Act, Done, Plan};

use super::input::frames::{Frames, Heard};
use super::show::Show;

/// A picture of a review that was handed to the terminal: what a yes at it would mean.
#[derive(Debug, Clone)]
struct Handed {
    /// Which review, counted by the test.
    review: usize,
    plan: Option<Arc<Plan>>,
    warnings: Vec<String>,
    size: (u16, u16),
    written: Option<Duration>,
    /// When the terminal showed it, by its own word or, while it never said one, by the clock.
    shown: Option<Duration>,
}

/// A terminal that takes bytes and answers in order, if it wants to.
#[derive(Debug, Default)]
struct Terminal {
    /// Requests that it has not answered, each with the picture before it.
    owed: std::collections::VecDeque<Option<usize>>,
    has_answered: bool,
}

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    Bytes(Vec<u8>),
    /// Time passes, and unfinished input comes to rest where it is long enough.
    Pass(u64),
    /// The terminal answers its oldest request.
    Answer,
    /// The terminal takes what was written.
    Take,
    Resize(u16, u16),
    /// The service answers everything that it was asked.
    Serve,
    /// Wake-ups that are due come, so much too late.
    Wake(u64),
    /// An operator waits until everything is there.
    Look,
}

struct Stage {
    desk: Desk,
    show: Show,
    frames: Frames,
    written: Rc<RefCell<Vec<Vec<u8>>>>,
    terminal: Terminal,
    handed: Vec<Handed>,
    /// Something was handed over that was not taken, and the picture of a review in it.
    under_way: bool,
    picture: Option<usize>,
    reviews: usize,
    was_open: bool,
    /// When something arrived from the terminal.
    arrivals: Vec<Duration>,
    waits: Vec<Duration>,
    asked_of_service: Vec<Effect>,
    runs: usize,
}

impl Stage {
    fn open() -> Self {
        let written = Rc::new(RefCell::new(Vec::new()));
        let to = Rc::clone(&written);
        let mut desk = Desk::open();
        desk.take(Message::Resized { columns: 60, rows: 15 });
        let mut stage = Self {
            desk,
            show: Show::new(true, move |bytes| to.borrow_mut().push(bytes)),
            frames: Frames::new(),
            written,
            terminal: Terminal::default(),
            handed: Vec::new(),
            under_way: false,
            picture: None,
            reviews: 0,
            was_open: false,
            arrivals: Vec::new(),
            waits: Vec::new(),
            asked_of_service: Vec::new(),
            runs: 0,
        };
        stage.paint();
        stage
    }

    fn now(&self) -> Duration {
        self.desk.now()
    }

    fn model(&self) -> &Model {
        &self.desk.model
    }

    fn step(&mut self, step: &Step) {
        self.presume();
        match step {
            Step::Bytes(bytes) => {
                let heard = self.frames.take(bytes);
                self.hear(heard);
            }
            Step::Pass(millis) => {
                self.desk.pass(Duration::from_millis(*millis));
                if self.frames.patience().is_some_and(|at| Duration::from_millis(*millis) >= at) {
                    let heard = self.frames.rest();
                    self.hear(heard);
                }
            }
            Step::Answer => {
                if !self.terminal.owed.is_empty() {
                    let heard = self.frames.take(b"\x1b[0n");
                    self.hear(heard);
                }
            }
            Step::Take => self.take_written(),
            Step::Resize(columns, rows) => {
                self.tell(Message::Resized { columns: *columns, rows: *rows });
            }
            Step::Serve => self.serve(),
            Step::Wake(late) => self.wake(Duration::from_millis(*late)),
            Step::Look => {
                for step in [Step::Serve, Step::Take, Step::Answer, Step::Take, Step::Wake(0)] {
                    self.step(&step);
                }
            }
        }
        self.presume();
        if let Some(picture) = self.show.look(&self.desk.model, self.now()) {
            self.tell(Message::Shown(picture));
        }
        self.paint();
    }

    fn hear(&mut self, heard: Vec<Heard>) {
        for one in heard {
            match one {
                Heard::Key(key) => {
                    self.arrivals.push(self.now());
                    self.tell(Message::Pressed(key));
                }
                Heard::Paste(text) => {
                    self.arrivals.push(self.now());
                    self.tell(Message::Pasted(text));
                }
                Heard::Noise => {
                    self.arrivals.push(self.now());
                    self.tell(Message::Arrived);
                }
                // Also one that keys happened to spell: it is the terminal's word.
                Heard::Answer => {
                    let answered = self.terminal.owed.pop_front();
                    self.terminal.has_answered |= answered.is_some();
                    let now = self.now();
                    if let Some(handed) = answered.flatten().and_then(|at| self.handed.get_mut(at))
                    {
                        handed.shown.get_or_insert(now);
                    }
                    if let Some(picture) = self.show.answered() {
                        self.tell(Message::Shown(picture));
                    }
                }
            }
        }
    }

    /// Takes a message in; whatever starts a run must have been shown.
    fn tell(&mut self, message: Message) {
        let (before, review) = (self.substance(), self.reviews);
        self.desk.take(message);
        let open = matches!(self.model().dialog(), Some(Dialog::Review(_)));
        if open && !self.was_open {
            self.reviews += 1;
        }
        self.was_open = open;
        for effect in self.desk.effects() {
            match effect {
                Effect::Wait(time) => self.waits.push(self.now() + time),
                Effect::Act(Act::Open(_)) => {
                    self.runs += 1;
                    let (plan, warnings) = before.clone().expect("a review");
                    self.must_have_been_shown(review, plan.as_ref(), &warnings);
                    self.asked_of_service.push(effect);
                }
                other => self.asked_of_service.push(other),
            }
        }
    }

    /// What a yes would mean now.
    fn substance(&self) -> Option<(Option<Arc<Plan>>, Vec<String>)> {
        match self.model().dialog() {
            Some(Dialog::Review(review)) => {
                let layout = review.layout();
                let warnings = layout.pinned.iter().chain(&layout.loose).cloned().collect();
                Some((review.plan().cloned(), warnings))
            }
            _ => None,
        }
    }

    fn must_have_been_shown(&self, review: usize, plan: Option<&Arc<Plan>>, warnings: &[String]) {
        let whole = self.model().layout().whole;
        assert!(self.model().layout().fits, "in a window that shows nothing");
        let same = |handed: &&Handed| {
            handed.review == review
                && same_calls(handed.plan.as_ref(), plan)
                && handed.warnings == warnings
                && handed.size == (whole.width, whole.height)
        };
        let mut shown = self.handed.iter().filter(same).filter_map(|handed| handed.shown);
        assert!(shown.any(|at| self.was_quiet_after(at)), "{:?}", self.handed.last());
    }

    /// Whether nothing arrived for a fifth of a second at any time since.
    fn was_quiet_after(&self, shown: Duration) -> bool {
        let after = self.arrivals.iter().copied().filter(|at| *at > shown);
        let times: Vec<Duration> =
            std::iter::once(shown).chain(after).chain([self.now()]).collect();
        times.windows(2).any(|two| two[1] >= two[0] + Duration::from_millis(200))
    }

    /// What was written long enough ago to a terminal that never said a word is taken for shown.
    fn presume(&mut self) {
        let now = self.now();
        let mute = !self.terminal.has_answered;
        for handed in self.handed.iter_mut().filter(|handed| mute && handed.shown.is_none()) {
            let at = handed.written.map(|at| at + Duration::from_millis(1_500));
            handed.shown = at.filter(|at| *at <= now);
        }
    }

    fn paint(&mut self) {
        let before = self.written.borrow().len();
        let now = self.now();
        self.show.show(&self.desk.model, false, now);
        let written: Vec<Vec<u8>> = self.written.borrow_mut().drain(before..).collect();
        for bytes in written {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let picture = self.substance().map(|(plan, warnings)| {
                let whole = self.desk.model.layout().whole;
                self.handed.push(Handed {
                    review: self.reviews,
                    plan,
                    warnings,
                    size: (whole.width, whole.height),
                    written: None,
                    shown: None,
                });
                self.handed.len() - 1
            });
            for _ in text.matches("\x1b[5n") {
                self.terminal.owed.push_back(picture);
            }
            (self.under_way, self.picture) = (true, picture);
        }
    }

    fn take_written(&mut self) {
        if std::mem::take(&mut self.under_way) {
            let now = self.now();
            if let Some(handed) = self.picture.take().and_then(|at| self.handed.get_mut(at)) {
                handed.written = Some(now);
            }
            self.show.written(&Ok(()), now);
        }
    }

    fn serve(&mut self) {
        for effect in std::mem::take(&mut self.asked_of_service) {
            match effect {
                Effect::ListEvents { extension, epoch, .. } => {
                    let result = Ok(self.desk.as_it_is(&extension));
                    self.tell(Message::Listed { extension, epoch, result, exchanges: vec![] });
                }
                Effect::Act(Act::Open(_)) => {
                    // Nothing more of a run is of interest here.
                    let failure = crate::domain::Failure::new(crate::domain::Cause::Withheld, "x");
                    self.tell(Message::Done(Done::Opened(Err(failure))));
                }
                _ => {}
            }
        }
    }

    fn wake(&mut self, late: Duration) {
        let due: Vec<Duration> = std::mem::take(&mut self.waits);
        for at in due {
            let wait = (at + late).saturating_sub(self.now());
            self.desk.pass(wait);
            self.tell(Message::Waited);
        }
    }
}

/// However the service wrote the rows down.
fn same_calls(one: Option<&Arc<Plan>>, other: Option<&Arc<Plan>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.sends_the_same(other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn steps() -> impl Strategy<Value = Step> {
    let keys = prop::sample::select(vec![
        "d", "y", "dy", "A", " ", "\r", "j", "n", "t", "v", "+", "q", "\x1b", "\x1by", "4", "5",
        "\x03", "z", "zy", "/", "U", "2", "1", "m", "R", "\x0c", "G", "k", "Ad", "A d y",
    ]);
    let reports = prop::sample::select(vec![
        "\x1b]52;c;dGhlIGN1c3RvbWVy\x07",
        "\x1b[?2026;2$y",
        "\x1b]11;rgb:0000/0000/0000\x1b\\",
        "\x1b[200~delay\ry\x1b[201~",
        "delay\r",
        "\x1b[",
        "\x1b[M abc",
    ]);
    let bytes = |text: &str| Step::Bytes(text.as_bytes().to_vec());
    prop_oneof![
        8 => keys.prop_map(bytes),
        1 => reports.prop_map(bytes),
        1 => prop::collection::vec(any::<u8>(), 1..8).prop_map(Step::Bytes),
        4 => prop::sample::select(vec![1, 60, 150, 201, 600, 1_500, 61_000]).prop_map(Step::Pass),
        5 => Just(Step::Answer),
        6 => Just(Step::Take),
        1 => prop::sample::select(vec![(60, 15), (59, 15), (60, 14), (20, 5), (80, 24)])
            .prop_map(|(columns, rows)| Step::Resize(columns, rows)),
        4 => Just(Step::Serve),
        4 => prop::sample::select(vec![0, 1, 149, 200, 5_000]).prop_map(Step::Wake),
        6 => Just(Step::Look),
    ]
}

#[test]
fn nothing_goes_out_that_the_terminal_has_not_shown() {
    let runs = std::cell::Cell::new(0);
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new(config);
    let cases = runner.config().cases;
    let streams = prop::collection::vec(steps(), 1..80);
    let result = runner.run(&streams, |stream| {
        let mut stage = Stage::open();
        for step in &stream {
            stage.step(step);
        }
        runs.set(runs.get() + stage.runs);
        Ok(())
    });
    result.unwrap_or_else(|failed| panic!("{failed}"));
    let enough = usize::try_from(cases / 100).unwrap();
    assert!(runs.get() >= enough, "only {} runs in {cases} streams prove little", runs.get());
}

/// The same stage, with an operator who looks before he answers.
#[test]
fn what_was_shown_and_read_is_carried_out_on_a_terminal_that_answers_and_on_one_that_never_does() {
    for answers in [true, false] {
        let mut stage = Stage::open();
        let mut steps = vec![Step::Bytes(b" d".to_vec()), Step::Serve, Step::Take];
        for _ in 0..4 {
            steps.push(Step::Take);
            steps.push(if answers { Step::Answer } else { Step::Pass(1_600) });
            steps.push(Step::Wake(0));
        }
        steps.push(Step::Bytes(b"y".to_vec()));
        for step in &steps {
            stage.step(step);
        }
        assert_eq!(stage.runs, 1, "answers: {answers}");
    }
}
