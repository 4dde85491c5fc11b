//! What a program leaves behind that is killed, or loses its power: copies of its state folder, made before each of its steps.

use super::tracer::{End, Moment, Plan, Traced};
use super::{EVERY, SIDE_BY_SIDE, copy_folder, every, side_by_side};
use crate::sandbox::Sandbox;
use std::mem::take;
use std::sync::{Arc, Mutex};

/// A state folder as a program left it behind.
pub struct Left {
    pub sandbox: Sandbox,
    /// It had not yet taken this step.
    pub step: usize,
    /// When that was, in words.
    pub what: String,
}

/// All that a program would have left behind.
#[derive(Clone)]
pub struct Copies {
    settings: String,
    taken: Arc<Mutex<Vec<Left>>>,
}

impl Copies {
    /// In sandboxes with these settings.
    pub fn new(settings: &str) -> Self {
        Self { settings: settings.to_owned(), taken: Arc::default() }
    }

    /// How a program is traced of which they are taken, where `wants` says so.
    pub fn plan(&self, wants: impl Fn(&Moment) -> bool + Send + 'static) -> Plan {
        let copies = self.clone();
        Plan::looked_at(move |moment| {
            if wants(moment) {
                copies.take(moment);
            }
        })
    }

    /// Before one step in so many: what was written, as a kill leaves it, or by turns what was synced alone. Both if `EVERY` is set.
    fn take(&self, moment: &Moment) {
        let &Moment { step, call, state, disk } = moment;
        if (step - 1) % every(1) != 0 {
            return;
        }
        let are_both = std::env::var_os(EVERY).is_some();
        let keep = |how: &str, copy: &dyn Fn(&Sandbox)| {
            let sandbox = Sandbox::bare(&self.settings);
            copy(&sandbox);
            let what = format!("{how} before step {step}, {call}");
            self.taken.lock().expect("no holder panics").push(Left { sandbox, step, what });
        };
        if are_both || step % 2 == 1 {
            keep("killed", &|to| copy_folder(state, &to.state()));
        }
        if are_both || step % 2 == 0 {
            keep("without power", &|to| disk.restore(&to.state()));
        }
    }

    /// All of them are as they must be. The answer is how many they are.
    pub fn check(&self, check: impl Fn(&Left) + Sync) -> usize {
        let taken = take(&mut *self.taken.lock().expect("no holder panics"));
        let count = taken.len();
        side_by_side(SIDE_BY_SIDE, taken, |left| check(&left));
        count
    }

    /// Takes away the last one.
    pub fn last(&self) -> Left {
        self.taken.lock().expect("no holder panics").pop().expect("one step at least")
    }
}

/// Goes through a life of a program in this sandbox, until it ends, or `lives` says that it has seen enough. All that it would have
/// left behind before any of its steps is then as it must be, as is what it does leave. The answer is how many steps it took; none
/// where nothing can be traced.
pub fn left_before_each_step(
    sandbox: Sandbox,
    (args, settings): (&[&str], &str),
    lives: impl FnOnce(&Sandbox, &Traced),
    check: impl Fn(&Sandbox, &str) + Sync,
) -> Option<usize> {
    let copies = Copies::new(settings);
    let traced = Traced::start(&sandbox, args, copies.plan(|_| true));
    lives(&sandbox, &traced);
    let report = traced.end()?;
    assert_eq!(report.end, End::Exited(0), "{}", sandbox.log());
    check(&sandbox, "at its end");
    copies.check(|left| check(&left.sandbox, &left.what));
    Some(report.steps.len())
}
