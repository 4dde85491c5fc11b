// What kellgrend wants of libtorch's GPU half and tch has no call for: an element-wise kernel of one's own, copies that are
// not waited for, streams that run side by side, and launches that are captured once and replayed.
//
// `make libtorch-cuda` compiles it into a library of its own. The program loads it where it is there (src/gpu/extension.rs)
// and does the same in more steps where it is not. Every function returns null, or what went wrong in words that hold until
// the thread's next call. Objects belong to the caller.

#include <ATen/core/CachingHostAllocator.h>
#include <ATen/core/Tensor.h>
#include <ATen/cuda/CUDAGraph.h>
#include <ATen/cuda/jiterator.h>
#include <c10/cuda/CUDAGuard.h>
#include <torch/csrc/api/include/torch/version.h>

#include <exception>
#include <memory>
#include <string>

namespace {

using c10::cuda::CUDAStream;

template <typename Act>
const char *attempt(Act &&act) noexcept {
  static thread_local std::string trouble;
  try {
    act();
    return nullptr;
  } catch (const c10::Error &error) {
    trouble = error.what_without_backtrace();
  } catch (const std::exception &error) {
    trouble = error.what();
  }
  return trouble.c_str();
}

// All that `later` is given from now on waits for what `earlier` has been given.
void order(CUDAStream earlier, CUDAStream later) {
  c10::cuda::CUDAGuard guard(later.device_index());
  cudaEvent_t event = nullptr;
  C10_CUDA_CHECK(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
  auto failed = cudaEventRecord(event, earlier);
  if (failed == cudaSuccess) failed = cudaStreamWaitEvent(later, event, 0);
  const auto left = cudaEventDestroy(event);  // the device keeps it until nobody waits for it
  C10_CUDA_CHECK(failed);
  C10_CUDA_CHECK(left);
}

}  // namespace

// A stream, and the one that was current when it was entered.
struct Lane {
  CUDAStream own;
  CUDAStream outer;
};

// A CUDA graph, whose memory is a pool of its own; made while its device is the current one.
struct Recording final : at::cuda::CUDAGraph {
  explicit Recording(c10::DeviceIndex device) : device(device), memory(at::cuda::graph_pool_handle()) {}

  // Whoever captured has failed, or has not even begun.
  ~Recording() {
    if (is_open) attempt([&] { end(); });
  }

  void begin() {
    is_open = true;
    capture_begin(memory, cudaStreamCaptureModeThreadLocal);
  }

  void end() {
    is_open = false;
    try {
      capture_end();
    } catch (...) {
      const auto failed = std::current_exception();
      if (!capture_ended_) give_up();
      std::rethrow_exception(failed);
    }
  }

  const c10::DeviceIndex device;
  const c10::cuda::MempoolId_t memory;

 private:
  bool is_open = false;

  // What capture_end leaves undone if there is nothing to end: without it, the allocators would serve this pool for ever.
  void give_up() noexcept {
    attempt([&] { c10::cuda::CUDACachingAllocator::endAllocateToPool(device, memory); });
    attempt([&] { c10::cuda::CUDACachingAllocator::releasePool(device, memory); });
    attempt([&] { at::getHostAllocator(at::kCUDA)->end_allocate_to_pool(memory); });
    attempt([&] { at::getHostAllocator(at::kCUDA)->release_pool(memory); });
  }
};

#pragma GCC visibility push(default)
extern "C" {

const char *kellgrend_libtorch() { return TORCH_VERSION; }

// One number from the numbers at the same place of every input, by the template `name` of CUDA C++ in `code`.
const char *kellgrend_elementwise(const char *name, const char *code, const at::Tensor *const *inputs, size_t count,
                                  at::Tensor **output) {
  return attempt([&] {
    c10::SmallVector<at::Tensor> operands;
    for (size_t i = 0; i < count; ++i) operands.push_back(*inputs[i]);
    c10::cuda::CUDAGuard guard(operands.front().device());
    *output = new at::Tensor(at::cuda::CompileAndLaunchKernel(code, name, 1, operands, {}, false).front());
  });
}

// A tensor's copy on a GPU, which the current stream makes while the caller goes on.
const char *kellgrend_upload(const at::Tensor *tensor, int device, at::Tensor **copy) {
  return attempt([&] {
    const auto gpu = c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(device));
    *copy = new at::Tensor(tensor->pin_memory().to(gpu, tensor->scalar_type(), /*non_blocking=*/true));
  });
}

// An urgent lane's work goes before that of others wherever the device has room for one of them only.
const char *kellgrend_lane_new(int device, bool urgent, Lane **lane) {
  return attempt([&] {
    const auto index = static_cast<c10::DeviceIndex>(device);
    const auto own = c10::cuda::getStreamFromPool(urgent, index);
    *lane = new Lane{own, c10::cuda::getCurrentCUDAStream(index)};
  });
}

void kellgrend_lane_free(Lane *lane) { delete lane; }

// What the lane is given from here on waits for all that the current stream was given.
const char *kellgrend_lane_follow(Lane *lane) {
  return attempt([&] { order(c10::cuda::getCurrentCUDAStream(lane->own.device_index()), lane->own); });
}

// From here on the thread's work goes to the lane.
const char *kellgrend_lane_enter(Lane *lane) {
  return attempt([&] {
    lane->outer = c10::cuda::getCurrentCUDAStream(lane->own.device_index());
    c10::cuda::setCurrentCUDAStream(lane->own);
  });
}

// The thread's work goes again where it went before, beside that of the lane.
const char *kellgrend_lane_leave(Lane *lane) {
  return attempt([&] { c10::cuda::setCurrentCUDAStream(lane->outer); });
}

// What the current stream is given from here on waits for all that the lane was given.
const char *kellgrend_lane_join(Lane *lane) {
  return attempt([&] { order(lane->own, c10::cuda::getCurrentCUDAStream(lane->own.device_index())); });
}

// Memory that was freed and kept for what comes next is the driver's again, for other processes.
const char *kellgrend_give_back() {
  return attempt([] { c10::cuda::CUDACachingAllocator::emptyCache(); });
}

// Launches in the current lane are not carried out from here on but written down.
const char *kellgrend_recording_begin(int device, Recording **recording) {
  return attempt([&] {
    const auto index = static_cast<c10::DeviceIndex>(device);
    c10::cuda::CUDAGuard guard(index);
    auto fresh = std::make_unique<Recording>(index);
    c10::cuda::CUDACachingAllocator::emptyCache();  // what is kept for others cannot be given back while it captures
    fresh->begin();
    *recording = fresh.release();
  });
}

// Launches in the lane are carried out again.
const char *kellgrend_recording_end(Recording *recording) {
  return attempt([&] {
    c10::cuda::CUDAGuard guard(recording->device);
    recording->end();
  });
}

// The current stream is given all that was written down.
const char *kellgrend_recording_replay(Recording *recording) {
  return attempt([&] {
    c10::cuda::CUDAGuard guard(recording->device);
    recording->replay();
  });
}

void kellgrend_recording_free(Recording *recording) { delete recording; }

}  // extern "C"
#pragma GCC visibility pop
