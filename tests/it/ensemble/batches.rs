//! Fewer knees go together once the memory was too small for so many.

use kellgrend::ensemble::{BatchLimit, GradeError};
use proptest::prelude::*;
use std::cell::RefCell;

/// A device that holds at most `room` knees at a time, and what it was asked for.
fn graded(items: &[u32], limit: &BatchLimit, room: usize) -> (Result<Vec<u32>, GradeError>, Vec<usize>) {
    let asked = RefCell::new(Vec::new());
    let answers = limit.take_through(items, |together| {
        asked.borrow_mut().push(together.len());
        if together.len() > room {
            return Err(GradeError::OutOfMemory("CUDA out of memory".into()));
        }
        Ok(together.iter().map(|item| item * 10).collect())
    });
    (answers, asked.into_inner())
}

#[test]
fn a_batch_that_does_not_fit_is_halved_and_stays_so() {
    let limit = BatchLimit::new(16);
    let items: Vec<u32> = (0..20).collect();
    let (answers, asked) = graded(&items, &limit, 5);
    assert_eq!(answers.expect("all go through"), items.iter().map(|item| item * 10).collect::<Vec<_>>());
    assert_eq!(asked, [16, 8, 4, 4, 4, 4, 4]);
    let (_, asked) = graded(&items[..8], &limit, 5);
    assert_eq!(asked, [4, 4], "what was learnt is kept");
}

#[test]
fn after_a_thousand_good_batches_more_are_tried_again() {
    let limit = BatchLimit::new(8);
    let (_, _) = graded(&[0; 8], &limit, 2);
    assert_eq!(limit.get(), 2);
    for _ in 0..2000 {
        graded(&[0; 2], &limit, 8).0.expect("they go through");
    }
    assert_eq!(limit.get(), 8);
}

#[test]
fn what_is_left_of_a_batch_goes_in_powers_of_two() {
    let (_, asked) = graded(&(0..31).collect::<Vec<_>>(), &BatchLimit::new(24), 100);
    assert_eq!(asked, [24, 4, 2, 1]);
    let undivided: Vec<_> = (0..40).filter(|&items| BatchLimit::new(24).is_one(items)).collect();
    assert_eq!(undivided, [1, 2, 4, 8, 16, 24]);
}

#[test]
fn one_that_does_not_fit_alone_is_an_error() {
    let limit = BatchLimit::new(4);
    let (answers, asked) = graded(&[1, 2, 3], &limit, 0);
    assert!(matches!(answers, Err(GradeError::OutOfMemory(_))));
    assert_eq!(asked, [2, 1]);
}

#[test]
fn other_errors_are_not_tried_again() {
    let limit = BatchLimit::new(4);
    let failed = limit.take_through(&[1, 2, 3], |_| Err::<Vec<u32>, _>(GradeError::Torch("device-side assert".into())));
    assert!(matches!(failed, Err(GradeError::Torch(_))));
    assert_eq!(limit.get(), 4);
}

#[test]
fn libtorchs_words_for_a_full_memory_are_known() {
    for words in [
        "CUDA out of memory. Tried to allocate 2.00 GiB",
        "DefaultCPUAllocator: can't allocate memory: you",
        "FIND was unable to find an engine to execute this computation",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    ] {
        let error = tch::TchError::Torch(format!("{words}\nException raised from"));
        assert!(matches!(GradeError::from(error), GradeError::OutOfMemory(text) if text.contains(words)));
    }
}

proptest! {
    #[test]
    fn every_item_is_answered_once_and_in_order(count in 0usize..50, most in 1usize..40, room in 1usize..40) {
        let items: Vec<u32> = (0..count as u32).collect();
        let (answers, asked) = graded(&items, &BatchLimit::new(most), room);
        prop_assert_eq!(answers.expect("all go through"), items.iter().map(|item| item * 10).collect::<Vec<_>>());
        prop_assert!(asked.iter().all(|&together| together <= most));
    }
}
