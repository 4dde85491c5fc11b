//! What goes into a network and what comes out as a map, against OpenCV and pytorch-grad-cam (tests/golden/pictures.py).

use image::{GrayImage, Luma};
use kellgrend::ensemble::{Look, cam, preprocess::Films};
use std::collections::BTreeMap;
use tch::{Device, TchError, Tensor};

#[derive(serde::Deserialize)]
struct Golden {
    resized: BTreeMap<u32, Vec<Vec<u8>>>,
    cam: Vec<f32>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../golden/pictures.json")).expect("the golden file is JSON")
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    Vec::<f32>::try_from(tensor.contiguous().view(-1)).expect("floats")
}

fn on_cpu(bytes: &Tensor) -> Result<Tensor, TchError> {
    bytes.f_to(Device::Cpu)
}

/// One knee, upright and flipped.
fn view(knee: &GrayImage, size: u32) -> Tensor {
    Films::upload(&[knee], on_cpu).and_then(|films| films.views(Look::whole(size))).expect("views")
}

/// A channel of a view back to grey levels.
fn levels(view: &Tensor, channel: usize) -> Vec<f32> {
    let (mean, deviation) = [(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)][channel];
    flat(&view.get(0).get(channel as i64)).iter().map(|value| (value * deviation + mean) * 255.0).collect()
}

#[test]
fn views_are_opencvs_cubic_in_three_normalised_channels() {
    let knee = GrayImage::from_fn(37, 29, |x, y| Luma([((x * 23 / 3) ^ (y * 13)) as u8]));
    for (size, expected) in golden().resized {
        let view = view(&knee, size);
        assert_eq!(view.size(), [2, 3, i64::from(size), i64::from(size)]);
        for channel in 0..3 {
            let ours = levels(&view, channel);
            let differences = ours.iter().zip(expected.iter().flatten()).map(|(a, &b)| (a - f32::from(b)).abs());
            let differing = differences.clone().filter(|&difference| difference > 0.01).count();
            assert!(differences.fold(0.0, f32::max) < 1.01, "no level differs by more than one");
            assert!(differing * 200 < ours.len(), "{differing} of {} levels differ", ours.len());
        }
    }
}

#[test]
fn a_closer_look_is_the_middle_of_a_larger_picture() {
    let knee = GrayImage::from_fn(37, 29, |x, y| Luma([((x * 23 / 3) ^ (y * 13)) as u8]));
    let looks = Look::all(48, 64.0 / 48.0);
    assert_eq!(looks[0], Look::whole(48));
    let closer = Films::upload(&[&knee], on_cpu).and_then(|films| films.views(looks[1])).expect("views");
    assert_eq!((looks.len(), closer.size()), (2, vec![2, 3, 48, 48]));
    let expected = &golden().resized[&64];
    let middle = expected[8..56].iter().flat_map(|row| &row[8..56]);
    let differences = levels(&closer, 0).into_iter().zip(middle).map(|(a, &b)| (a - f32::from(b)).abs());
    assert!(differences.fold(0.0, f32::max) < 1.01, "no level differs by more than one");
    assert_eq!(Look::all(512, 1.0), [Look::whole(512)]);
    assert_eq!(Look::all(64, 1.001).len(), 2, "a pixel closer at least");
}

#[test]
fn a_picture_of_the_right_size_is_taken_as_it_is() {
    let knee = GrayImage::from_fn(64, 64, |x, y| Luma([(x * 3 + y) as u8]));
    let levels = levels(&view(&knee, 64), 1);
    assert!(levels.iter().zip(knee.as_raw()).all(|(a, &b)| (a - f32::from(b)).abs() < 0.01));
}

#[test]
fn views_are_all_upright_then_all_flipped() {
    let knees = [3u32, 5].map(|seed| GrayImage::from_fn(70, 50, |x, y| Luma([(x * seed + y) as u8])));
    let views =
        Films::upload(&[&knees[0], &knees[1]], on_cpu).and_then(|films| films.views(Look::whole(64))).expect("views");
    assert_eq!(views.size(), [4, 3, 64, 64]);
    for (index, knee) in knees.iter().enumerate() {
        let upright = view(knee, 64).get(0);
        assert_eq!(flat(&views.get(index as i64)), flat(&upright));
        assert_eq!(flat(&views.get(index as i64 + 2)), flat(&upright.flip([2])));
    }
}

#[test]
fn a_map_is_scaled_as_pytorch_grad_cam_scales() {
    let place = |i: i64| ((i / 36 * 7 + i / 6 % 6 * 5 + i % 6 * 3) % 11) as f32 / 11.0;
    let map = Tensor::from_slice(&(0..8 * 36).map(place).collect::<Vec<_>>()).view([1, 8, 6, 6]);
    let gradients =
        Tensor::from_slice(&(0..8).map(|c| ((c * 5 % 7) - 3) as f32 / 36.0).collect::<Vec<_>>()).view([1, 8]);
    let ours = flat(&cam::grad_cam(&map, &gradients, 20).expect("a map"));
    let expected = golden().cam;
    assert_eq!(ours.len(), expected.len());
    assert!(ours.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5), "{ours:?}");
}

#[test]
fn a_map_of_nothing_is_all_zero() {
    let zeros = Tensor::zeros([1, 8, 6, 6], (tch::Kind::Float, Device::Cpu));
    let ours = cam::grad_cam(&zeros, &Tensor::ones([1, 8], (tch::Kind::Float, Device::Cpu)), 20).expect("a map");
    assert!(flat(&ours).iter().all(|&value| value == 0.0));
}

#[test]
fn members_maps_are_averaged_at_a_common_size() {
    let ones = |side: i64| Tensor::ones([1, side, side], (tch::Kind::Float, Device::Cpu));
    let members = cam::at_one_size(&[ones(10), ones(20) * 0.5], 20).expect("maps");
    let mean = cam::mean(&members).and_then(|mean| cam::pictures(&mean)).expect("a map").remove(0);
    assert_eq!((mean.size, mean.values.len()), (20, 400));
    assert!(mean.values.iter().all(|value| (value - 0.75).abs() < 1e-6));
}
