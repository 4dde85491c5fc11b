//! What hangs is seen, and what only waits or has much to do is not.

use kellgrend::gauges::{End, Gauges, Step, Under, for_bytes};
use kellgrend::outside::health::{Ill, Signs, ills};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So much later.
fn after(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

#[test]
fn a_step_that_does_not_move_hangs_and_one_that_ended_or_moves_does_not() {
    let gauges = Arc::new(Gauges::default());
    assert_eq!(gauges.stuck(after(1_000_000)), None, "nobody is at work");
    let scan = gauges.begin(Step::Scan);
    assert_eq!(gauges.stuck(after(60)), None);
    let stuck = gauges.stuck(after(600)).expect("it hangs");
    assert_eq!(stuck.step, Step::Scan);
    assert!((599..=600).contains(&stuck.still.as_secs()), "{stuck}");
    std::thread::sleep(Duration::from_millis(50));
    let later = Instant::now() + Duration::from_millis(119_970);
    assert!(gauges.stuck(later).is_some());
    scan.moves();
    assert_eq!(gauges.stuck(later), None, "a sign of life counts from its time");
    scan.end();
    assert_eq!(gauges.stuck(after(600)), None);
}

#[test]
fn patience_grows_with_what_there_is_to_do() {
    let gauges = Arc::new(Gauges::default());
    let _waits = gauges.begin(Step::DeviceWait);
    assert_eq!(gauges.stuck(after(1_000_000)), None, "who waits is not at fault");
    assert_eq!(gauges.device_waiting(), 1);
    let minutes = Duration::from_secs(1200);
    let begun: [&dyn Fn() -> Under; 4] = [
        &|| gauges.begin_batch(10, false),
        &|| gauges.begin_batch(192, true),
        &|| gauges.begin_long(Step::Claim, for_bytes(1000 << 20)),
        &|| gauges.begin_long(Step::Decode, minutes),
    ];
    for (begin, step) in begun.into_iter().zip([Step::Networks, Step::Networks, Step::Claim, Step::Decode]) {
        let _under_way = begin();
        assert_eq!(gauges.stuck(after(1000)), None, "{step:?}");
        assert_eq!(gauges.stuck(after(2000)).map(|stuck| stuck.step), Some(step));
    }
}

#[test]
fn a_thread_that_dies_within_a_step_shows_as_one_that_hangs() {
    let gauges = Arc::new(Gauges::default());
    let of = gauges.clone();
    let died = std::thread::spawn(move || {
        let _step = of.begin(Step::Networks);
        panic!("as a defect would");
    });
    assert!(died.join().is_err());
    assert_eq!(gauges.stuck(after(600)).map(|stuck| stuck.step), Some(Step::Networks));
}

#[test]
fn work_that_comes_to_no_end_is_told_from_idleness() {
    let gauges = Gauges::default();
    assert_eq!(gauges.stands_still(after(1_000_000)), None, "nothing is in work");
    gauges.set_in_work(2);
    let still = |seconds| gauges.stands_still(after(seconds)).map(|time| time.as_secs());
    assert!(still(1000).is_some_and(|time| (999..=1000).contains(&time)), "counted from when work came");
    std::thread::sleep(Duration::from_millis(20));
    let before = gauges.stands_still(after(0)).expect("in work");
    gauges.ended(End::Quarantined("truncated"));
    assert!(gauges.stands_still(after(0)).expect("in work") < before, "an end is progress, whichever");
    gauges.set_in_work(0);
    assert_eq!(still(1000), None);
}

#[test]
fn only_what_a_new_start_can_mend_starves_the_watchdog() {
    let well = Signs { is_inbox_reachable: true, ..Signs::default() };
    assert_eq!(ills(&well), []);
    let gauges = Arc::new(Gauges::default());
    let _step = gauges.begin(Step::Networks);
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    let cases = [
        (Signs { stuck: gauges.stuck(after(600)), ..well.clone() }, true, "networks"),
        (Signs { are_networks_gone: true, ..well.clone() }, true, "networks have ended"),
        (Signs { ledger: Some("disk full".into()), ..well.clone() }, false, "disk full"),
        (Signs { is_inbox_reachable: false, ..well.clone() }, false, "inbox"),
        (Signs { is_held: true, ..well.clone() }, false, "nearly full"),
        (Signs { stands_still: Some(minutes(20)), ..well.clone() }, false, "20 min"),
        (Signs { unseen: minutes(5), ..well.clone() }, false, "300 s"),
    ];
    for (signs, hangs, word) in cases {
        let found = ills(&signs);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found.iter().any(Ill::is_hang), hangs, "{found:?}");
        assert!(found[0].to_string().contains(word), "{}", found[0]);
    }
    let patient = Signs { stands_still: Some(minutes(10)), unseen: minutes(1), ..well };
    assert_eq!(ills(&patient), []);
}
