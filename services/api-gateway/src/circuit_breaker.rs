//! Stops asking a service that doesn't answer, and tries it again now and then.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures in a row that open the circuit.
pub const FAILURES: u32 = 5;
/// How long the circuit stays open before one request may try the service again.
pub const PAUSE: Duration = Duration::from_secs(2);

#[derive(Debug)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant },
    Probing,
}

/// Closed while the service answers, open after [`FAILURES`] failures in a row.
#[derive(Debug)]
pub struct CircuitBreaker(Mutex<State>);

/// Leave to send one request, whose outcome is to be told.
///
/// Dropping it says nothing about the service: the client went away.
#[derive(Debug)]
pub struct Permit<'a> {
    breaker: &'a CircuitBreaker,
    probe: bool,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self(Mutex::new(State::Closed { failures: 0 }))
    }
}

impl CircuitBreaker {
    /// Leave to send a request, or how long to wait for it.
    pub fn permit(&self, now: Instant) -> Result<Permit<'_>, Duration> {
        self.with(|state| {
            let probe = match *state {
                State::Closed { .. } => false,
                State::Open { until } if until <= now => {
                    *state = State::Probing;
                    true
                }
                State::Open { until } => return Err(until - now),
                State::Probing => return Err(PAUSE),
            };
            Ok(Permit {
                breaker: self,
                probe,
            })
        })
    }

    /// Whether requests are sent as usual.
    pub fn is_closed(&self) -> bool {
        self.with(|state| matches!(state, State::Closed { .. }))
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Permit<'_> {
    /// The service answered.
    pub fn succeeded(mut self) {
        self.breaker.with(|state| {
            // An answer to a request from before the circuit opened doesn't close it.
            if self.probe || matches!(state, State::Closed { .. }) {
                *state = State::Closed { failures: 0 };
            }
        });
        self.probe = false;
    }

    /// The service didn't answer.
    pub fn failed(mut self, now: Instant) {
        let open = State::Open { until: now + PAUSE };
        self.breaker.with(|state| match state {
            State::Closed { failures } if *failures + 1 < FAILURES => *failures += 1,
            State::Closed { .. } => *state = open,
            _ if self.probe => *state = open,
            State::Open { .. } | State::Probing => {}
        });
        self.probe = false;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.probe {
            self.breaker.with(|state| {
                *state = State::Open {
                    until: Instant::now(),
                };
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn open(now: Instant) -> CircuitBreaker {
        let breaker = CircuitBreaker::default();
        for _ in 0..FAILURES {
            breaker.permit(now).unwrap().failed(now);
        }
        breaker
    }

    #[test]
    fn opens_after_failures_in_a_row_only() {
        let now = Instant::now();
        let breaker = CircuitBreaker::default();
        for _ in 0..FAILURES - 1 {
            breaker.permit(now).unwrap().failed(now);
        }
        breaker.permit(now).unwrap().succeeded();
        for _ in 0..FAILURES - 1 {
            breaker.permit(now).unwrap().failed(now);
        }
        assert!(breaker.is_closed());
        breaker.permit(now).unwrap().failed(now);
        assert!(!breaker.is_closed());
        assert_eq!(breaker.permit(now).unwrap_err(), PAUSE);
    }

    #[test]
    fn after_the_pause_one_request_tries() {
        let now = Instant::now();
        let breaker = open(now);
        let later = now + PAUSE;
        let probe = breaker.permit(later).unwrap();
        assert!(breaker.permit(later).is_err());
        probe.succeeded();
        assert!(breaker.is_closed());
    }

    #[test]
    fn a_failed_try_opens_it_again() {
        let now = Instant::now();
        let breaker = open(now);
        let later = now + PAUSE;
        breaker.permit(later).unwrap().failed(later);
        assert_eq!(breaker.permit(later).unwrap_err(), PAUSE);
        assert!(breaker.permit(later + PAUSE).is_ok());
    }

    #[test]
    fn a_try_whose_client_went_away_leaves_room_for_another() {
        let now = Instant::now();
        let breaker = open(now);
        drop(breaker.permit(now + PAUSE).unwrap());
        assert!(breaker.permit(Instant::now() + PAUSE).is_ok());
    }

    #[test]
    fn late_answers_do_not_close_it() {
        let now = Instant::now();
        let breaker = CircuitBreaker::default();
        let early = breaker.permit(now).unwrap();
        for _ in 0..FAILURES {
            breaker.permit(now).unwrap().failed(now);
        }
        early.succeeded();
        assert!(!breaker.is_closed());
    }

    proptest! {
        /// Whatever happens, it is never closed after FAILURES failures in a row, and a request
        /// is let through at the latest a pause after the last one ended.
        #[test]
        fn never_stuck_and_never_deaf(outcomes in prop::collection::vec(any::<bool>(), 0..60)) {
            let breaker = CircuitBreaker::default();
            let mut now = Instant::now();
            let mut in_a_row = 0;
            for succeeded in outcomes {
                let permit = match breaker.permit(now) {
                    Ok(permit) => permit,
                    Err(wait) => {
                        prop_assert!(wait <= PAUSE);
                        now += wait;
                        breaker.permit(now).expect("the wait is over")
                    }
                };
                if succeeded {
                    permit.succeeded();
                    in_a_row = 0;
                } else {
                    permit.failed(now);
                    in_a_row += 1;
                }
                prop_assert_eq!(breaker.is_closed(), in_a_row < FAILURES);
            }
        }
    }
}
