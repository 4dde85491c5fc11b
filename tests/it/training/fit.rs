//! One network learns: as PyTorch takes the same steps, and what is said of pictures, rates and recipes.

use crate::networks::{GENERATOR, formula, golden};
use image::GrayImage;
use kellgrend::ensemble::Look;
use kellgrend::grade::KlGrade;
use kellgrend::networks::{Architecture, Form};
use kellgrend::training::augmentation::Augmentation;
use kellgrend::training::fit::{Beginning, Checkpoint, Epoch, Fit, FitError, Fitted, Origin, Watch};
use kellgrend::training::mixing::mixed;
use kellgrend::training::optimiser::Optimiser;
use kellgrend::training::pictures::Pictures;
use kellgrend::training::recipe::{Balance, Decline, Keep, Recipe, RecipeName, Start};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use tch::{Device, Kind, Tensor};

/// What PyTorch came to: tests/golden/training.py.
#[derive(serde::Deserialize)]
struct Golden {
    losses: Vec<f64>,
    logits: Vec<Vec<f32>>,
}

const SIDE: usize = 64;

/// Nobody looks.
struct Unwatched;

impl Watch for Unwatched {
    fn step(&mut self, _: usize, _: usize) -> bool {
        true
    }

    fn pause(&mut self) -> bool {
        true
    }

    fn epoch(&mut self, _: &Epoch, _: Option<Checkpoint>) -> Result<(), FitError> {
        Ok(())
    }
}

/// Two steps, each of all knees, at one rate.
fn plain(optimiser: Optimiser) -> Recipe {
    Recipe {
        start: Start::Scratch,
        image_size: SIDE as u32,
        zoom: 1.0,
        epochs: 2,
        passes: 1,
        small_epochs: 0,
        small_side: 0.5,
        batch: 8,
        head_epochs: 0,
        head_rate: 0.0,
        optimiser,
        rate: 1e-5,
        warm_up: 0.0,
        decline: Decline::Step,
        decline_after: 100.0,
        decline_factor: 1.0,
        weight_decay: 0.05,
        label_smoothing: 0.1,
        ordinal: 0.0,
        sharpness: 0.0,
        omission: 0.0,
        mix: 0.0,
        average: 0.0,
        blend: 0.0,
        balance: Balance::None,
        balance_power: 1.0,
        keep: Keep::Last,
        patience: 0,
        tolerance: 0.0,
        augmentation: Augmentation::NONE,
    }
}

/// The picture of a number.
fn picture(number: usize) -> GrayImage {
    let name = format!("knee {number}");
    let grey = formula::chance(&name, SIDE * SIDE).map(|x| ((x + 1.0) * 128.0).floor() as u8);
    GrayImage::from_raw(SIDE as u32, SIDE as u32, grey.collect()).expect("as many pixels")
}

fn pictures() -> Pictures {
    let pictures = Pictures::new(12, &[Look::whole(SIDE as u32)], Device::Cpu, 0).expect("memory");
    (0..12).for_each(|number| pictures.put(number, &picture(number)).expect("put"));
    pictures
}

fn fitted(architecture: Architecture, recipe: &Recipe) -> Result<Fitted, FitError> {
    fitted_from(Origin::Untrained, architecture, recipe)
}

fn fitted_from(origin: Origin, architecture: Architecture, recipe: &Recipe) -> Result<Fitted, FitError> {
    let truths: Vec<KlGrade> = (0..12).map(|number| KlGrade::ALL[number % 5]).collect();
    let fit = Fit {
        architecture,
        recipe,
        seed: 1,
        pictures: &pictures(),
        truths: &truths,
        learn: &(0..8).collect::<Vec<_>>(),
        judge: &(8..12).collect::<Vec<_>>(),
        device: Device::Cpu,
        numbers: Kind::Float,
        form: Form::folded(Kind::Float),
    };
    let weights = formula::read(&formula::weights(&golden(architecture).shapes));
    fit.run(Beginning { weights, origin }, None, &mut Unwatched)
}

#[test]
fn every_network_learns_as_in_pytorch() {
    let answers: BTreeMap<String, Golden> =
        serde_json::from_str(include_str!("../../golden/training.json")).expect("the golden file is JSON");
    for (name, Golden { losses, logits }) in answers {
        let words: Vec<_> = name.split(' ').collect();
        let plain = plain(if words[1] == "adam" { Optimiser::Adam } else { Optimiser::AdamW });
        let recipe = match words.get(2) {
            Some(&"ordinal") => Recipe { ordinal: 2.0, ..plain },
            Some(&"sharpness") => Recipe { sharpness: 0.05, ..plain },
            _ => plain,
        };
        let found = fitted(words[0].parse().expect("known"), &recipe).expect("it learns");
        // Adam's first step is as long for a gradient of rounding errors as for any other, so that long steps drift apart
        for (epoch, loss) in found.curve.iter().zip(&losses) {
            let difference = (epoch.train_loss - loss).abs() / (losses[0] - losses[1]);
            println!("{name}: epoch {} off by {difference:.1e} of what was learnt", epoch.epoch);
            assert!(difference < 2e-2, "{name}, epoch {}: {} is not {loss}", epoch.epoch, epoch.train_loss);
        }
        let largest = logits.iter().flatten().fold(1.0f32, |most, x| most.max(x.abs()));
        let off = found.logits.iter().flatten().zip(logits.iter().flatten()).map(|(a, b)| (a - b).abs());
        let off = off.fold(0.0, f32::max) / largest;
        println!("{name}: losses {losses:?}, logits off by {off:.1e}");
        // weights are kept in float16
        assert!(off < 2e-2, "{name}: {:?} is not {logits:?}", found.logits);
    }
}

#[test]
fn networks_leave_out_what_torchvisions_do_and_the_same_in_every_repetition() {
    let _drawing = GENERATOR.lock().expect("no holder panics");
    let answers: BTreeMap<String, Vec<f32>> =
        serde_json::from_str(include_str!("../../golden/omission.json")).expect("the golden file is JSON");
    assert_eq!(answers.len(), 2);
    let views = tch::no_grad(|| {
        pictures().to_learn(&(0..8).collect::<Vec<_>>(), SIDE as i64, &Augmentation::NONE, &mut chance())
    });
    let views = views.expect("views");
    for (name, expected) in answers {
        let architecture: Architecture = name.parse().expect("known");
        let said = |omission| {
            let weights = formula::read(&formula::weights(&golden(architecture).shapes));
            let (network, _) = architecture.build_to_learn(weights, false, omission).expect("it builds");
            tch::manual_seed(7);
            let logits = tch::no_grad(|| network.map(&views).and_then(|map| network.logits(&map))).expect("it runs");
            Vec::<f32>::try_from(logits.view(-1)).expect("numbers")
        };
        let off = |said: &[f32]| said.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let (all, none) = (said(1.0), said(0.0));
        println!("{name}: off by {:.1e}, by {:.1e} with nothing left out", off(&all), off(&none));
        assert!(off(&all) < 1e-3, "{name}: {all:?} is not {expected:?}");
        assert!(off(&none) > 0.1, "{name} leaves nothing out");
    }
    let recipe = Recipe { omission: 1.0, ..plain(Optimiser::AdamW) };
    let fits = || fitted(Architecture::EfficientnetV2S, &recipe).expect("it learns").weights;
    let first = fits();
    tch::manual_seed(1);
    assert!(first == fits(), "what is left out depends on what was before");
    let all_there = fitted(Architecture::EfficientnetV2S, &plain(Optimiser::AdamW)).expect("it learns").weights;
    assert!(first != all_there);
}

fn chance() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(1)
}

#[test]
fn the_last_layer_alone_learns_at_first_where_the_recipe_says_so() {
    let frozen = Recipe { epochs: 1, head_epochs: 1, head_rate: 0.01, rate: 0.01, ..plain(Optimiser::Adam) };
    let whole = Recipe { epochs: 1, head_epochs: 0, ..frozen.clone() };
    let tensors = |recipe: &Recipe| {
        let bytes = fitted(Architecture::ShufflenetV2X2_0, recipe).expect("it learns").weights;
        let file = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
        file.iter().map(|(name, tensor)| (name.to_owned(), tensor.data().to_vec())).collect::<BTreeMap<_, _>>()
    };
    let before = formula::weights(&golden(Architecture::ShufflenetV2X2_0).shapes);
    let half =
        |values: &[f32]| values.iter().flat_map(|&value| half::f16::from_f32(value).to_le_bytes()).collect::<Vec<_>>();
    let (frozen, whole) = (tensors(&frozen), tensors(&whole));
    for (name, (_, values)) in &before {
        let is_statistic = name.contains("running");
        let stays = !is_statistic && !name.starts_with("fc.");
        assert_eq!(frozen[name] == half(values), stays, "{name} with only the head learning");
        assert!(whole[name] != half(values), "{name} with all learning");
    }
}

#[test]
fn an_epoch_may_be_of_smaller_pictures_and_of_several_passes() {
    let whole = RecipeName::Scratch.recipe();
    let small = Recipe { small_epochs: 2, small_side: 0.5, ..whole.clone() };
    assert_eq!([0, 1, 2, 59].map(|epoch| small.side(epoch, 456)), [224, 224, 456, 456], "sides are multiples of 32");
    assert_eq!(whole.side(0, 456), 456);
    let tiny = Recipe { small_side: 0.1, ..small };
    assert_eq!([64, 299, 512].map(|side| tiny.side(0, side)), [32, 32, 64]);

    let views = |side| pictures().to_learn(&[0, 5], side, &Augmentation::NONE, &mut chance()).expect("views");
    assert_eq!(views(32).size(), [2, 3, 32, 32]);
    // a smaller picture is the same picture: the mean of four neighbours, with some of those around them
    let blocks = views(64).avg_pool2d([2, 2], [2, 2], [0, 0], false, true, None::<i64>);
    let spread = |views: &Tensor| views.std(true).double_value(&[]);
    assert!(spread(&(views(32) - &blocks)) < 0.6 * spread(&blocks), "another picture");

    // plain steps of 8 knees in batches of 8: one a pass
    let plain = Recipe { epochs: 1, ..plain(Optimiser::AdamW) };
    let weights = |recipe: &Recipe| fitted(Architecture::ShufflenetV2X2_0, recipe).expect("it learns").weights;
    let once = weights(&plain);
    assert!(once != weights(&Recipe { passes: 2, ..plain.clone() }), "the second pass changes nothing");
    assert!(once != weights(&Recipe { small_epochs: 1, ..plain.clone() }), "the pictures are not smaller");
    assert!(once == weights(&Recipe { small_epochs: 0, small_side: 0.25, ..plain }));
}

#[test]
fn what_was_learnt_is_blended_with_the_release_that_it_began_from() {
    let tensors = |origin, blend| {
        let recipe = Recipe { start: Start::Release, blend, rate: 1e-3, ..plain(Optimiser::AdamW) };
        let bytes = fitted_from(origin, Architecture::ShufflenetV2X2_0, &recipe).expect("it learns").weights;
        let file = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
        let numbers = |data: &[u8]| {
            data.chunks_exact(2).map(|pair| half::f16::from_le_bytes([pair[0], pair[1]]).to_f32()).collect::<Vec<_>>()
        };
        file.iter().map(|(name, tensor)| (name.to_owned(), numbers(tensor.data()))).collect::<BTreeMap<_, _>>()
    };
    let [learnt, quarter, first] = [0.0, 0.25, 1.0].map(|blend| tensors(Origin::Release, blend));
    for (name, (_, values)) in &formula::weights(&golden(Architecture::ShufflenetV2X2_0).shapes) {
        let (learnt, quarter, first) = (&learnt[name], &quarter[name], &first[name]);
        assert!(learnt != first, "{name} has learnt nothing");
        for (((learnt, quarter), first), value) in learnt.iter().zip(quarter).zip(first).zip(values) {
            // float16 keeps 11 bits
            let little = 1e-3 * learnt.abs().max(first.abs()) + 1e-6;
            assert!((first - value).abs() <= little, "{name} is not what it was: {first}, {value}");
            let expected = 0.75 * learnt + 0.25 * first;
            assert!((quarter - expected).abs() <= little, "{name}: {quarter} of {learnt} and {first}");
        }
    }
    // random numbers are worth nothing
    assert!(tensors(Origin::Untrained, 1.0) == learnt);
    let change = toml::toml! { blend = 0.5 };
    let error = RecipeName::Scratch.adjusted(&change).expect_err("nothing to blend with").to_string();
    assert!(error.contains("blend"), "{error}");
    assert!(RecipeName::FineTune.adjusted(&change).is_ok());
}

#[test]
fn a_rare_grade_counts_as_much_more_as_the_power_says() {
    // one epoch of one step: the mean loss before it, with each knee's loss weighed; the weights divide out where all are alike
    let loss = |balance, balance_power| {
        let recipe = Recipe { balance, balance_power, epochs: 1, ..plain(Optimiser::AdamW) };
        fitted(Architecture::ShufflenetV2X2_0, &recipe).expect("it learns").curve[0].train_loss
    };
    let [none, zero, half, one] =
        [(Balance::None, 1.0), (Balance::Weights, 0.0), (Balance::Weights, 0.5), (Balance::Weights, 1.0)]
            .map(|(balance, power)| loss(balance, power));
    assert!((none - zero).abs() < 1e-6 * none.abs(), "{none} {zero}");
    let parts = [(half - none), (one - none)];
    assert!(parts[0] * parts[1] > 0.0 && parts[0].abs() < parts[1].abs(), "{none} {half} {one}");
}

#[test]
fn a_loss_that_is_no_number_ends_the_fit_with_its_reason() {
    let wild = Recipe { rate: 1e30, epochs: 5, ..plain(Optimiser::AdamW) };
    let error = fitted(Architecture::ShufflenetV2X2_0, &wild).err().expect("it fails").to_string();
    assert!(error.contains("not finite in epoch") && error.contains("lower rate"), "{error}");
}

#[test]
fn early_stopping_counts_misses_and_keeps_the_best() {
    // nothing is learnt, so that no epoch is better than the first; one as good is a new best only within the tolerance
    let still =
        Recipe { rate: 0.0, weight_decay: 0.0, epochs: 9, patience: 2, keep: Keep::Best, ..plain(Optimiser::AdamW) };
    let all = fitted(Architecture::ShufflenetV2X2_0, &Recipe { tolerance: 100.0, ..still.clone() }).expect("fitted");
    assert_eq!(all.curve.len(), 9);
    let rising = Recipe { rate: 0.3, weight_decay: 0.0, ..still };
    let fitted = fitted(Architecture::ShufflenetV2X2_0, &rising).expect("fitted");
    let best = fitted.curve.iter().rposition(|epoch| epoch.is_best).expect("the first at least");
    assert!(fitted.curve.len() == 9 || fitted.curve.len() == best + 3, "{:?}", fitted.curve);
}

#[test]
fn epochs_of_small_pictures_are_no_misses() {
    // eight knees are soon known by heart, and the others are answered worse from epoch to epoch
    let curve = |small_epochs| {
        let plain = plain(Optimiser::AdamW);
        let recipe = Recipe { rate: 0.001, weight_decay: 0.0, epochs: 9, patience: 1, small_epochs, ..plain };
        fitted(Architecture::ShufflenetV2X2_0, &recipe).expect("fitted").curve
    };
    let (whole, small) = (curve(0), curve(6));
    assert_eq!((whole.len(), whole[1].is_best), (2, false), "{whole:?}");
    assert_eq!((small.len(), small[5].is_best, small[6].is_best), (7, false, false), "{small:?}");
}

#[test]
fn plans_from_before_a_number_was_known_are_what_they_were() {
    let recipe = Recipe { omission: 0.0, ..RecipeName::Scratch.recipe() };
    let mut table = toml::Table::try_from(&recipe).expect("TOML");
    for later in
        ["omission", "passes", "small_epochs", "small_side", "mix", "blend", "balance_power", "ordinal", "sharpness"]
    {
        assert!(table.remove(later).is_some(), "{later}");
    }
    assert_eq!(table.try_into::<Recipe>().expect("it is read"), recipe);
}

#[test]
fn pictures_are_changed_as_the_recipe_says_and_alike_for_one_seed() {
    let grey = Tensor::from_slice(picture(1).as_raw()).view([1, 1, 64, 64]).to_kind(Kind::Float).repeat([4, 1, 1, 1]);
    let of = |augmentation: &Augmentation, seed| {
        augmentation.of(&grey, &mut ChaCha8Rng::seed_from_u64(seed)).expect("augmented")
    };
    assert!(of(&Augmentation::NONE, 1).equal(&grey));
    assert!(of(&Augmentation::STRONG, 1).equal(&of(&Augmentation::STRONG, 1)));
    assert!(!of(&Augmentation::STRONG, 1).equal(&of(&Augmentation::STRONG, 2)));
    let flipped = of(&Augmentation { flip: 1.0, ..Augmentation::NONE }, 1);
    assert!(flipped.allclose(&grey.flip([3]), 1e-4, 1e-2, false), "a flip and nothing else");
    let erased = of(&Augmentation { erase: 1.0, erase_side: 1.0, ..Augmentation::NONE }, 3);
    assert!(!erased.equal(&grey));
    let changed = of(&Augmentation { brightness: 1.0, contrast: 1.0, ..Augmentation::NONE }, 3);
    assert!(changed.min().double_value(&[]) >= 0.0 && changed.max().double_value(&[]) <= 255.0);
}

#[test]
fn a_mixed_picture_and_its_truth_are_of_two_knees_in_equal_shares() {
    let truths = [KlGrade::ALL[0], KlGrade::ALL[3], KlGrade::ALL[2], KlGrade::ALL[3]];
    let plain = Tensor::from_slice(&[10.0f32, 20.0, 30.0, 40.0]).view([4, 1, 1, 1]).repeat([1, 3, 2, 2]);
    let (views, shares) = mixed(&plain, &truths, 0.4, &mut chance()).expect("mixed");
    assert_eq!((views.size(), shares.size()), (plain.size(), vec![4, 5]));
    let mut of_others = Vec::new();
    for (index, (own, other)) in truths.iter().zip(truths.iter().rev()).enumerate() {
        let at = |tensor: &Tensor, place: usize| tensor.get(index as i64).view(-1).double_value(&[place as i64]);
        let (mine, theirs) = (10.0 * (index + 1) as f64, 10.0 * (4 - index) as f64);
        let share = (at(&views, 0) - mine) / (theirs - mine);
        let expected = KlGrade::ALL.map(|grade| {
            f64::from(u8::from(grade == *own)) * (1.0 - share) + f64::from(u8::from(grade == *other)) * share
        });
        for grade in KlGrade::ALL {
            assert!((at(&shares, grade.index()) - expected[grade.index()]).abs() < 1e-5, "knee {index}, grade {grade}");
        }
        of_others.push(share);
    }
    assert!(of_others.iter().all(|share| (0.0..=0.4).contains(share)), "{of_others:?}");
    assert!(of_others.windows(2).all(|pair| (pair[0] - pair[1]).abs() > 1e-6), "all alike: {of_others:?}");

    // where all is mixed, something else is learnt, and the same in every repetition
    let weights = |mix| {
        fitted(Architecture::ShufflenetV2X2_0, &Recipe { mix, ..self::plain(Optimiser::AdamW) })
            .expect("it learns")
            .weights
    };
    assert!(weights(0.5) == weights(0.5) && weights(0.5) != weights(0.0));
}

#[test]
fn recipes_are_adjusted_by_name_and_slips_are_named() {
    let adjust = |text: &str| RecipeName::Scratch.adjusted(&text.parse().expect("TOML"));
    let recipe = adjust("epochs = 5\nrate = 1\naugmentation = { rotation = 10 }").expect("valid");
    assert_eq!((recipe.epochs, recipe.rate, recipe.augmentation.rotation), (5, 1.0, 10.0));
    assert_eq!(recipe.augmentation.flip, Augmentation::STRONG.flip, "what is not named stays");
    for (text, wanted) in [
        ("epoch = 5", "epoch"),
        ("epochs = 0", "1 to 10000"),
        ("passes = 0", "1 to 1000"),
        ("epochs = 5\nsmall_epochs = 6", "small_epochs"),
        ("head_epochs = 1", "head_rate"),
        ("decline = \"step\"", "decline_factor"),
        ("optimiser = \"sgd\"", "adamw"),
        ("augmentation = { flip = 2 }", "augmentation.flip"),
        ("start = \"nowhere\"", "imagenet"),
    ] {
        let error = adjust(text).expect_err(text).to_string();
        assert!(error.contains(wanted), "{wanted:?} is missing in: {error}");
    }
}

#[test]
fn rates_warm_up_and_decline() {
    let scratch = RecipeName::Scratch.recipe();
    assert_eq!(scratch.rate(0.0), 0.0);
    assert_eq!(scratch.rate(scratch.warm_up), scratch.rate);
    assert!(scratch.rate(scratch.epochs as f64) < 1e-9);
    let paper = RecipeName::Paper.recipe();
    assert_eq!((paper.rate(0.0), paper.rate(1.9)), (0.001, 0.001));
    assert!((paper.rate(2.0) - 0.0001).abs() < 1e-12);
}
