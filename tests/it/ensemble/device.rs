//! The device's words, and what settling says where there is no GPU.

use kellgrend::ensemble::{DeviceChoice, DeviceInUse, Precision, settle};
use kellgrend::networks::Form;
use tch::{Device, Kind};

#[test]
fn a_device_is_read_and_written_as_the_same_word() {
    for (word, choice) in [
        ("auto", DeviceChoice::Auto),
        ("cpu", DeviceChoice::Cpu),
        ("cuda", DeviceChoice::Cuda(0)),
        ("cuda:1", DeviceChoice::Cuda(1)),
    ] {
        assert_eq!(word.parse(), Ok(choice));
        assert_eq!(choice.to_string(), word);
    }
    for word in ["", "gpu", "CPU", "cuda:", "cuda:-1", "cuda:x"] {
        let error = word.parse::<DeviceChoice>().expect_err("no device");
        assert!(error.contains("auto, cpu, cuda"), "{error}");
    }
}

#[test]
fn the_cpu_is_described_with_its_threads() {
    let device = settle(DeviceChoice::Cpu, 1).expect("there is a CPU");
    assert_eq!(device.device, tch::Device::Cpu);
    assert!(device.to_string().starts_with("CPU ") && device.to_string().contains(" 1 thread"), "{device}");
}

#[test]
fn without_a_gpu_auto_says_why_and_cuda_says_what_to_do() {
    let auto = settle(DeviceChoice::Auto, 0).expect("auto always finds a device");
    if auto.device.is_cuda() {
        return println!("skipped: this machine has a GPU");
    }
    let remark = auto.remark.as_deref().expect("a reason");
    assert!(remark.starts_with("no GPU is used: ") && remark.len() > 20, "{remark}");
    let error = settle(DeviceChoice::Cuda(1), 0).expect_err("no GPU").to_string();
    assert!(error.contains("cuda:1") && error.contains("auto or cpu"), "{error}");
}

#[test]
fn a_precision_is_what_the_device_can() {
    let device = |device, multiplies_bf16| {
        let description = "a device".to_owned();
        DeviceInUse { device, description, multiplies_bf16, remark: None }
    };
    let (cpu, gpu) = (Device::Cpu, Device::Cuda(0));
    let bf16 = |early| Some(Form::Folded { early, late: Kind::BFloat16 });
    for (precision, device, form) in [
        (Precision::Auto, device(cpu, true), bf16(Kind::Float)),
        (Precision::Auto, device(cpu, false), Some(Form::folded(Kind::Float))),
        (Precision::Auto, device(gpu, true), bf16(Kind::Half)),
        (Precision::Auto, device(gpu, false), Some(Form::folded(Kind::Half))),
        (Precision::Bf16, device(cpu, false), bf16(Kind::Float)),
        (Precision::Bf16, device(gpu, false), None),
        (Precision::Fp16, device(cpu, true), None),
        (Precision::Fp16, device(gpu, false), Some(Form::folded(Kind::Half))),
        (Precision::Fp32, device(gpu, true), Some(Form::folded(Kind::Float))),
        (Precision::Reference, device(gpu, true), Some(Form::Plain)),
    ] {
        assert_eq!(precision.form(&device).ok(), form, "{precision} on {device:?}");
    }
}
