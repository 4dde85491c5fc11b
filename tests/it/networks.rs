//! The networks against torchvision, and what building one refuses.

pub mod formula;
mod imagenet;

use formula::Named;
use kellgrend::ensemble::cam;
use kellgrend::networks::{
    Architecture, Form, Network,
    weights::{Weights, WeightsError},
};
use std::collections::BTreeMap;
use std::sync::Mutex;
use tch::{Kind, Tensor};

/// libtorch's generator is the process's: a test that draws from it holds this.
pub static GENERATOR: Mutex<()> = Mutex::new(());

/// What torchvision answered: tests/golden/networks.py.
#[derive(serde::Deserialize)]
pub struct Golden {
    pub shapes: BTreeMap<String, Vec<usize>>,
    formula: BTreeMap<String, Vec<f32>>,
    starter: Option<BTreeMap<String, Vec<f32>>>,
    cam: Cam,
}

/// pytorch-grad-cam's picture at a size, every 16th pixel of every 16th row, from the 8th.
#[derive(serde::Deserialize)]
struct Cam {
    size: usize,
    grade: i64,
    every_16th: Vec<f32>,
}

const FLOAT32: Form = Form::folded(Kind::Float);

pub fn golden(architecture: Architecture) -> Golden {
    let all = include_str!("../golden/networks.json");
    let mut all: BTreeMap<String, Golden> = serde_json::from_str(all).expect("the golden file is JSON");
    all.remove(architecture.name()).expect("the golden file knows every architecture")
}

fn shufflenet() -> Named {
    formula::weights(&golden(Architecture::ShufflenetV2X2_0).shapes)
}

fn build(named: &Named) -> Result<Network, WeightsError> {
    Architecture::ShufflenetV2X2_0.build(&mut formula::read(named), FLOAT32)
}

/// The network by formula, in a form.
fn by_formula(architecture: Architecture, form: Form) -> Network {
    let mut weights = formula::read(&formula::weights(&golden(architecture).shapes));
    architecture.build(&mut weights, form).expect("it builds")
}

fn view(size: usize) -> Tensor {
    let side = size as i64;
    Tensor::from_slice(&formula::input(size)).view([1, 3, side, side])
}

fn logits(network: &Network, views: &Tensor) -> Vec<f32> {
    let logits = network.map(views).and_then(|map| network.logits(&map)).expect("the network runs");
    Vec::<f32>::try_from(logits.contiguous().view(-1)).expect("numbers")
}

/// The largest difference, in parts of the largest number.
fn relative(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let scale = theirs.iter().fold(0f32, |most, value| most.max(value.abs()));
    ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / scale
}

fn assert_logits(network: &Network, expected: &BTreeMap<String, Vec<f32>>, what: &str) {
    assert!(expected.len() >= 2, "its own image size and another");
    for (size, expected) in expected {
        let ours = logits(network, &view(size.parse().expect("a size")));
        let far = relative(&ours, expected);
        assert!(far < 1e-4, "{what} at {size}: {ours:?}, torchvision says {expected:?}");
        println!("{what} at {size}: {far:.1e} from torchvision");
    }
}

#[test]
fn logits_are_torchvisions_for_weights_by_formula() {
    for architecture in Architecture::ALL {
        let golden = golden(architecture);
        assert!(golden.formula.contains_key(&architecture.image_size().to_string()), "{architecture}");
        for form in [Form::Plain, FLOAT32] {
            assert_logits(&by_formula(architecture, form), &golden.formula, &format!("{architecture} {form:?}"));
        }
    }
}

#[test]
fn logits_are_torchvisions_for_the_starter_release() {
    let file = include_bytes!("../../models/starter/shufflenet_v2_x2_0.safetensors");
    for form in [Form::Plain, FLOAT32] {
        let mut weights = Weights::from_bytes(file.to_vec()).expect("the starter can be read");
        let network = Architecture::ShufflenetV2X2_0.build(&mut weights, form).expect("it builds");
        let expected = golden(Architecture::ShufflenetV2X2_0).starter.expect("the starter's logits");
        assert_logits(&network, &expected, "starter");
    }
}

/// bf16 keeps 8 bits of a number, so that a logit of a network of a hundred layers is good to some percent.
#[test]
fn bf16_stays_near_the_reference() {
    for architecture in Architecture::ALL {
        let views = Tensor::cat(&[view(224), view(224).flip([3])], 0);
        let plain = logits(&by_formula(architecture, Form::Plain), &views);
        let fast = logits(&by_formula(architecture, Form::Folded { early: Kind::Float, late: Kind::BFloat16 }), &views);
        let far = relative(&fast, &plain);
        assert!(far < 0.1, "{architecture}: {fast:?}, in float32 {plain:?}");
        println!("{architecture}: bf16 is {far:.1e} from float32");
    }
}

/// pytorch-grad-cam takes the gradient by a backward pass; here autograd is the oracle for the closed form.
#[test]
fn the_closed_form_of_the_gradient_is_autograds() {
    for architecture in Architecture::ALL {
        let network = by_formula(architecture, FLOAT32);
        let map = network.map(&Tensor::cat(&[view(224), view(224).flip([3])], 0)).expect("the network runs");
        for grades in [[0i64, 4], [2, 2], [3, 1]] {
            let grades = Tensor::from_slice(&grades);
            let map = map.detach().set_requires_grad(true);
            let logits = tch::with_grad(|| network.logits(&map)).expect("the head runs");
            logits.gather(1, &grades.unsqueeze(1), false).sum(Kind::Float).backward();
            let expected = map.grad().mean_dim([2i64, 3].as_slice(), false, Kind::Float);
            let ours = network.mean_gradient(&map, &grades).expect("the head's rows");
            assert!(ours.allclose(&expected, 1e-5, 1e-9, false), "{architecture}, grades {grades:?}");
            assert!(expected.abs().max().double_value(&[]) > 1e-5, "the oracle is not all zero");
        }
    }
}

#[test]
fn grad_cam_is_pytorch_grad_cams() {
    for architecture in Architecture::ALL {
        let Cam { size, grade, every_16th } = golden(architecture).cam;
        assert!(every_16th.iter().any(|&value| value > 0.5), "{architecture}: the golden picture is not blank");
        let network = by_formula(architecture, FLOAT32);
        let map = network.map(&view(size)).expect("the network runs");
        let gradient = network.mean_gradient(&map, &Tensor::from_slice(&[grade])).expect("a gradient");
        let picture = cam::grad_cam(&map, &gradient, size as u32).expect("a picture");
        let ours = picture.slice(1, 8, None, 16).slice(2, 8, None, 16).contiguous().view(-1);
        let ours = Vec::<f32>::try_from(ours).expect("numbers");
        let far = relative(&ours, &every_16th);
        assert!(far < 1e-3, "{architecture}: {far}");
        println!("{architecture}: {far:.1e} from pytorch-grad-cam");
    }
}

#[test]
fn a_missing_tensor_is_named() {
    let mut named = shufflenet();
    named.remove("stage3.5.branch2.3.weight");
    let error = build(&named).err().expect("refused");
    assert!(matches!(error, WeightsError::Missing(name) if name == "stage3.5.branch2.3.weight"));
}

#[test]
fn a_surplus_tensor_is_named_and_a_batch_counter_is_not() {
    let mut named = shufflenet();
    named.insert("conv1.1.num_batches_tracked".into(), (vec![1], vec![7.0]));
    assert!(build(&named).is_ok());
    named.insert("aux.fc.bias".into(), (vec![1], vec![0.0]));
    let error = build(&named).err().expect("refused").to_string();
    assert!(error.contains("`aux.fc.bias`"), "{error}");
}

#[test]
fn another_class_count_is_refused_by_name_and_shape() {
    let mut named = shufflenet();
    named.insert("fc.weight".into(), (vec![1000, 2048], vec![0.0; 1000 * 2048]));
    let error = build(&named).err().expect("refused").to_string();
    assert!(error.contains("`fc.weight`") && error.contains("[1000, 2048]") && error.contains("[5, 2048]"), "{error}");
}

#[test]
fn a_value_that_is_not_finite_is_refused_by_name() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut named = shufflenet();
        named.get_mut("conv5.0.weight").expect("it is there").1[12_345] = bad;
        let error = build(&named).err().expect("refused").to_string();
        assert!(error.contains("`conv5.0.weight`") && error.contains("not finite"), "{error}");
    }
}

#[test]
fn a_negative_variance_is_refused_by_name() {
    let mut named = shufflenet();
    named.get_mut("conv5.1.running_var").expect("it is there").1[3] = -1e-3;
    let error = build(&named).err().expect("refused").to_string();
    assert!(error.contains("`conv5.1.running_var`") && error.contains("negative"), "{error}");
}

#[test]
fn views_of_a_wrong_shape_are_an_error() {
    let network = build(&shufflenet()).expect("it builds");
    assert!(network.map(&Tensor::zeros([1, 4, 64, 64], (Kind::Float, tch::Device::Cpu))).is_err());
}

#[test]
fn an_architecture_is_known_by_torchvisions_name() {
    for architecture in Architecture::ALL {
        assert_eq!(architecture.name().parse(), Ok(architecture));
    }
    let error = "resnet18".parse::<Architecture>().expect_err("not ours");
    assert!(error.contains("shufflenet_v2_x2_0"), "{error}");
}

/// The benchmark must not measure how slow vanishing numbers are, nor grade what has left float16's range.
#[test]
fn untrained_networks_of_all_architectures_answer_in_range() {
    let views = view(96);
    for architecture in Architecture::ALL {
        let drawing = GENERATOR.lock().expect("no holder panics");
        let network = architecture.build(&mut Weights::untrained(1), FLOAT32).expect("nothing is missing");
        drop(drawing);
        let map = network.map(&views).expect("the network runs");
        let most = map.abs().max().double_value(&[]);
        assert!((1e-12..6e4).contains(&most), "{architecture}: {most}");
        assert!(logits(&network, &views).iter().all(|logit| logit.is_finite()), "{architecture}");
        let numbers = network.bytes() / 4;
        assert!((5_000_000..80_000_000).contains(&numbers), "{architecture}: {numbers}");
    }
}
