//! Temperature and entropy, as their definitions say.

use kellgrend::grade::{GRADES, KlGrade, Probabilities};
use proptest::prelude::*;

const MOST: f32 = 2.321_928;

fn one_of(grade: KlGrade) -> Probabilities {
    let mut probabilities = [0.0; GRADES];
    probabilities[grade.index()] = 1.0;
    Probabilities(probabilities)
}

#[test]
fn certainty_has_no_entropy_and_a_guess_among_n_has_log2_of_n_bits() {
    for grade in KlGrade::ALL {
        assert_eq!(one_of(grade).entropy().to_string(), "0", "not even a sign");
    }
    for (probabilities, bits) in [
        ([0.5, 0.0, 0.0, 0.5, 0.0], 1.0),
        ([0.0, 0.25, 0.25, 0.25, 0.25], 2.0),
        ([0.5, 0.25, 0.125, 0.0625, 0.0625], 1.875),
        ([0.2; GRADES], MOST),
    ] {
        assert_eq!(Probabilities(probabilities).entropy(), bits);
    }
}

#[test]
fn logits_as_far_apart_as_numbers_can_be_stay_finite_at_any_temperature() {
    for temperature in [0.05, 1.0, 20.0] {
        let sure = Probabilities::softmax([f32::MIN, f32::MAX, 0.0, -1.0, f32::MIN_POSITIVE], temperature);
        assert_eq!(sure, one_of(KlGrade::ALL[1]), "at {temperature}");
        assert_eq!(Probabilities::softmax([f32::MAX; GRADES], temperature).0, [0.2; GRADES]);
    }
}

fn logits() -> impl Strategy<Value = [f32; GRADES]> {
    prop::array::uniform5(-12f32..12.0)
}

/// The definition, in twice the precision.
fn softmax(logits: [f32; GRADES], temperature: f64) -> [f64; GRADES] {
    let exps = logits.map(|logit| (f64::from(logit) / temperature).exp());
    exps.map(|exp| exp / exps.iter().sum::<f64>())
}

proptest! {
    #[test]
    fn probabilities_are_the_softmax_of_logits_by_temperature(logits in logits(), temperature in 0.05f32..20.0) {
        let ours = Probabilities::softmax(logits, temperature);
        for (ours, theirs) in ours.0.iter().zip(softmax(logits, temperature.into())) {
            prop_assert!((f64::from(*ours) - theirs).abs() < 1e-5);
        }
        prop_assert!((ours.0.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }

    #[test]
    fn a_temperature_of_one_changes_no_bit(logits in logits()) {
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let exps = logits.map(|logit| (logit - max).exp());
        let sum: f32 = exps.iter().sum();
        prop_assert_eq!(Probabilities::softmax(logits, 1.0).0, exps.map(|exp| exp / sum));
    }

    #[test]
    fn a_temperature_keeps_the_grade_and_heat_flattens(logits in logits(), cold in 0.05f32..20.0, hot in 0.05f32..20.0) {
        let (cold, hot) = if cold < hot { (cold, hot) } else { (hot, cold) };
        let [cold, hot] = [cold, hot].map(|temperature| Probabilities::softmax(logits, temperature));
        let best = (0..GRADES).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).expect("five logits");
        let best = |p: &Probabilities| p.0[best];
        for probabilities in [cold, hot] {
            // not the argmax itself: heat may round two neighbours to one number
            prop_assert!(probabilities.0.iter().all(|&p| p <= best(&probabilities)));
        }
        prop_assert!(best(&hot) <= best(&cold) + 1e-6);
        prop_assert!(hot.entropy() >= cold.entropy() - 1e-5);
    }

    #[test]
    fn entropy_is_its_definition_within_its_range(logits in logits(), temperature in 0.05f32..20.0) {
        let probabilities = Probabilities::softmax(logits, temperature);
        let ours = probabilities.entropy();
        prop_assert!((0.0..=MOST).contains(&ours));
        let nats: f64 = probabilities.0.iter().map(|&p| f64::from(p)).filter(|p| *p > 0.0).map(|p| p * p.ln()).sum();
        prop_assert!((f64::from(ours) + nats / std::f64::consts::LN_2).abs() < 1e-5);
    }

    #[test]
    fn a_mean_is_at_least_as_undecided_as_its_members_are_on_average(of in prop::collection::vec(logits(), 1..9)) {
        let members: Vec<_> = of.into_iter().map(|logits| Probabilities::softmax(logits, 1.0)).collect();
        let average = members.iter().map(Probabilities::entropy).sum::<f32>() / members.len() as f32;
        prop_assert!(Probabilities::mean(members.iter()).entropy() >= average - 1e-4);
    }
}
