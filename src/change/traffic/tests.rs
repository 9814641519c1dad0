//! Traffic against services in virtual time: how long it takes and what it costs them.

use super::*;
use crate::domain::Cause;

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A service whose answers take time, that takes so many requests a second and fails some.
struct Service {
    latency: Duration,
    /// Requests a second, how many may be saved up, and whether it says when to come again.
    limit: Option<(u32, u32, bool)>,
    full_at: Duration,
    /// Of a thousand requests so many fail with this.
    fails: (u64, Failure),
    asked: u64,
    refused: u64,
}

/// What it took.
#[derive(Debug)]
struct Took {
    time: Duration,
    requests: u64,
    refused: u64,
    left: usize,
    stopped: bool,
}

impl Service {
    fn new(latency: Duration) -> Self {
        let fails = (0, Failure::new(Cause::NoAnswer, "lost"));
        Self { latency, limit: None, full_at: Duration::ZERO, fails, asked: 0, refused: 0 }
    }

    fn answer(&mut self, now: Duration) -> Result<(), Failure> {
        self.asked += 1;
        if let Some((per_second, burst, says_when)) = self.limit {
            let pace = Duration::from_secs(1) / per_second;
            let full_at = self.full_at.max(now) + pace;
            let ready_at = full_at.saturating_sub(pace * burst);
            if ready_at > now {
                self.refused += 1;
                let seconds = ready_at.saturating_sub(now).as_secs() + 1;
                let retry_after = says_when.then(|| Duration::from_secs(seconds));
                let refusal = Failure::new(Cause::Rejected, "too many");
                return Err(Failure { http_status: Some(429), retry_after, ..refusal });
            }
            self.full_at = full_at;
        }
        let (share, failure) = &self.fails;
        // A fixed share, spread by a hash so that it hits no rhythm.
        let hash = self.asked.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        if hash % 1000 < *share { Err(failure.clone()) } else { Ok(()) }
    }
}

/// Sends so many requests, at most so many at once.
fn drive(service: &mut Service, requests: usize, most: usize) -> Took {
    let mut traffic = Traffic::new(most, 0..requests);
    let mut now = Duration::ZERO;
    let mut comes_back: BTreeMap<(Duration, usize), Result<(), Failure>> = BTreeMap::new();
    let mut left = requests;
    loop {
        let mut alarm = None;
        for next in traffic.hand_out(now) {
            match next {
                Next::Go(request) => {
                    let answer = service.answer(now);
                    comes_back.insert((now + service.latency, request), answer);
                }
                Next::Wait(time) => alarm = Some(now + time),
            }
        }
        if let Some(alarm) = alarm {
            comes_back.insert((alarm, usize::MAX), Ok(()));
        }
        let Some(((at, request), answer)) = comes_back.pop_first() else { break };
        now = at;
        if request < requests {
            let fate = traffic.came_back(&request, answer.as_ref().err(), true, now);
            left -= usize::from(answer.is_ok() && fate == Some(Fate::Settled));
        }
        if traffic.stopped_by().is_some() {
            traffic.clear();
        }
    }
    let stopped = traffic.stopped_by().is_some();
    Took { time: now, requests: service.asked, refused: service.refused, left, stopped }
}

/// The share of the best time that is possible at all.
fn share(best: Duration, took: &Took) -> f64 {
    best.as_secs_f64() / took.time.as_secs_f64()
}

#[test]
fn a_service_that_is_well_is_soon_asked_as_much_as_the_profile_allows() {
    for most in [4, 16, 64] {
        for latency in [5, 20] {
            let mut service = Service::new(ms(latency));
            let took = drive(&mut service, 20_000, most);
            let best = ms(latency) * 20_000 / u32::try_from(most).unwrap();
            assert!(share(best, &took) > 0.98, "{most} at once, {latency} ms: {took:?}");
        }
    }
}

#[test]
fn the_first_requests_are_few() {
    let mut traffic = Traffic::new(64, 0..100);
    assert_eq!(traffic.hand_out(ms(0)), [Next::Go(0), Next::Go(1)]);
    traffic.came_back(&0, None, true, ms(20));
    assert_eq!(traffic.hand_out(ms(20)), [Next::Go(2), Next::Go(3)]);
}

#[test]
fn what_fails_here_and_there_costs_a_repeat_and_slows_nothing_else_down() {
    for most in [4, 16, 64] {
        let mut service = Service::new(ms(20));
        service.fails.0 = 50;
        let took = drive(&mut service, 20_000, most);
        let best = ms(20) * 20_000 / u32::try_from(most).unwrap();
        assert_eq!((took.left, took.stopped), (0, false));
        assert!(share(best, &took) > 1.0 / 1.15, "{most} at once: {took:?}");
        assert!(took.requests < 20_000 * 105 * 11 / 1000, "{took:?}");
    }
}

#[test]
fn a_limit_is_found_and_kept_with_hardly_anything_refused() {
    for per_second in [500, 1000, 2000] {
        // How much may be saved up, whether it says when to come again, and the share of the limit
        // that is reached: a pause of whole seconds is lost where nothing is saved up meanwhile.
        for (burst, says_when, reached) in [
            (per_second / 10, false, 0.95),
            (per_second, false, 0.95),
            (per_second, true, 0.88),
            (10, false, 0.65),
            (1, true, 0.35),
        ] {
            for latency in [1, 20] {
                let mut service = Service::new(ms(latency));
                service.limit = Some((per_second, burst, says_when));
                let took = drive(&mut service, 20_000, 64);
                let best = Duration::from_secs(1) / per_second * (20_000 - burst);
                let case = format!("{per_second}/s, {burst} saved up, {latency} ms: {took:?}");
                assert_eq!((took.left, took.stopped), (0, false), "{case}");
                assert!(share(best, &took) > reached, "{case}");
                assert!(took.refused <= 200, "{case}");
            }
        }
    }
}

#[test]
fn a_service_that_is_dead_costs_a_few_requests_and_one_that_dies_less_than_a_hundred() {
    let mut dead = Service::new(ms(5));
    dead.fails.0 = 1000;
    let took = drive(&mut dead, 20_000, 64);
    assert!(took.stopped && took.requests <= 10, "{took:?}");
    assert!(took.time < ms(5000), "{took:?}");

    let mut traffic = Traffic::new(64, 0..20_000);
    let mut now = ms(0);
    let mut failed = 0;
    while traffic.stopped_by().is_none() {
        let next = traffic.hand_out(now);
        now += ms(5);
        for next in next {
            match next {
                Next::Go(request) if request < 1000 => {
                    traffic.came_back(&request, None, true, now);
                }
                Next::Go(request) => {
                    failed += 1;
                    let lost = Failure::new(Cause::NoAnswer, "lost");
                    traffic.came_back(&request, Some(&lost), true, now);
                }
                Next::Wait(time) => now += time,
            }
        }
    }
    assert!(failed <= 100, "{failed}");
}

#[test]
fn nothing_goes_out_before_the_time_that_the_service_asks_for() {
    let mut traffic = Traffic::new(4, 0..4);
    traffic.hand_out(ms(0));
    let busy = Failure::new(Cause::ServiceFailed, "busy");
    let busy = Failure { http_status: Some(503), retry_after: Some(ms(7000)), ..busy };
    assert_eq!(traffic.came_back(&0, Some(&busy), true, ms(10)), Some(Fate::Again));
    traffic.came_back(&1, None, true, ms(20));
    assert_eq!(traffic.hand_out(ms(20)), [Next::Wait(ms(6990))]);
    assert_eq!(traffic.take_remarks(), ["waits 7 s, then tries again: busy"]);
    assert!(traffic.hand_out(ms(30)).is_empty(), "who waits is not told to wait again");
    assert!(matches!(traffic.hand_out(ms(7010))[..], [Next::Go(0), ..]));
}

#[test]
fn a_service_that_wants_to_be_left_alone_for_long_is_left_alone() {
    let mut traffic = Traffic::new(1, 0..4);
    traffic.hand_out(ms(0));
    let later = Failure::new(Cause::Rejected, "too many");
    let hour = Some(Duration::from_secs(3600));
    let later = Failure { http_status: Some(429), retry_after: hour, ..later };
    let long = Failure { retry_after: Some(LONGEST_PAUSE), ..later.clone() };
    assert_eq!(traffic.came_back(&0, Some(&long), true, ms(10)), Some(Fate::Again));
    let at = ms(300_010);
    assert!(traffic.hand_out(ms(300_009)).iter().all(|next| matches!(next, Next::Wait(_))));
    assert_eq!(traffic.hand_out(at), [Next::Go(0)]);
    assert_eq!(traffic.came_back(&0, Some(&later), true, at), Some(Fate::Settled));
    assert_eq!(traffic.stopped_by(), Some(&later));
}

#[test]
fn one_request_is_sent_six_times_at_most() {
    let mut traffic = Traffic::new(2, 0..2);
    let mut now = ms(0);
    let mut sent = 0;
    while !traffic.is_over() {
        for next in traffic.hand_out(now) {
            match next {
                Next::Go(0) => {
                    sent += 1;
                    let lost = Failure::new(Cause::NoAnswer, "lost");
                    traffic.came_back(&0, Some(&lost), true, now);
                }
                Next::Go(request) => {
                    traffic.came_back(&request, None, true, now);
                }
                Next::Wait(time) => now += time,
            }
        }
    }
    assert_eq!(sent, 6);
}

#[test]
fn five_waits_after_each_of_which_nothing_came_through_are_enough_and_four_are_not() {
    for works_after in [None, Some(4)] {
        let mut traffic = Traffic::new(1, 0..9);
        let (mut now, mut waits, mut seen) = (ms(0), 0, 0);
        while traffic.stopped_by().is_none() && !traffic.is_over() {
            for next in traffic.hand_out(now) {
                match next {
                    Next::Go(request) => {
                        let failure = Failure::new(Cause::Unreachable, "nobody there");
                        let works = works_after.is_some_and(|after| waits >= after);
                        seen = if works { waits } else { seen };
                        let failure = (!works).then_some(&failure);
                        traffic.came_back(&request, failure, true, now);
                    }
                    Next::Wait(time) => {
                        waits += 1;
                        now += time;
                    }
                }
            }
        }
        let expected = if works_after.is_some() { (false, 4) } else { (true, 5) };
        assert_eq!((traffic.stopped_by().is_some(), waits.min(5)), expected, "{works_after:?}");
    }
}

#[test]
fn an_address_that_is_perhaps_blocked_asks_nothing_more() {
    let mut traffic = Traffic::new(4, 0..10);
    let blocked = Failure::new(Cause::Blocked, "perhaps blocked");
    let Some(Next::Go(request)) = traffic.hand_out(ms(0)).into_iter().next() else { panic!() };
    assert_eq!(traffic.came_back(&request, Some(&blocked), true, ms(10)), Some(Fate::Settled));
    assert_eq!(traffic.stopped_by(), Some(&blocked));
}
