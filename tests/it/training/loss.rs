//! What an answer costs.

use kellgrend::training::loss::Loss;
use tch::{Kind, Tensor};

fn cost(ordinal: f64, logits: &Tensor, truths: &Tensor) -> f64 {
    Loss { balance: None, smoothing: 0.0, ordinal }.of(logits, truths).expect("a loss").double_value(&[])
}

#[test]
fn a_sure_answer_costs_as_many_as_it_is_grades_off() {
    for said in 0..5 {
        for truth in 0..5 {
            let logits = Tensor::zeros([1, 5], (Kind::Float, tch::Device::Cpu));
            let _ = logits.get(0).get(said).fill_(30.0);
            let truths = Tensor::from_slice(&[truth]);
            let distance = cost(2.0, &logits, &truths) - cost(0.0, &logits, &truths);
            assert!((distance - 2.0 * (said - truth).abs() as f64).abs() < 1e-4, "{said} for {truth}: {distance}");
        }
    }
}

#[test]
fn grades_and_their_shares_cost_the_same() {
    let logits = Tensor::from_slice(&[0.3f32, 1.0, -0.5, 0.0, 2.0, -1.0, 0.4, 0.7, 0.2, 0.1]).view([2, 5]);
    let truths = Tensor::from_slice(&[1i64, 4]);
    let shares = truths.one_hot(5).to_kind(Kind::Float);
    let costs = [&truths, &shares].map(|truths| cost(1.0, &logits, truths));
    assert!((costs[0] - costs[1]).abs() < 1e-6, "{costs:?}");
    // between two grades it is less far to both than from one to the other
    let between = (&shares + shares.flip([0])) / 2.0;
    let distance = |truths: &Tensor| cost(1.0, &logits, truths) - cost(0.0, &logits, truths);
    assert!(distance(&between) < (distance(&shares) + distance(&shares.flip([0]))) / 2.0);
}
