#include "worker/executors/cuda/search.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <cstring>

#include "worker/executors/cuda/intrinsics.cuh"
// After the intrinsics that it uses.
#include "worker/executors/cuda/kernels.cuh"

namespace tally::executors::cuda {

namespace {

constexpr int kMinimumMajor = 8;  // mma.m16n8k32 for int8 and cp.async

std::uint32_t round_up(std::uint32_t value, std::uint32_t unit) {
  return (value + unit - 1) / unit * unit;
}

// Keeps the first error; later calls do nothing.
class Status {
 public:
  bool ok() const { return error_ == cudaSuccess; }
  void note(cudaError_t error) {
    if (ok()) error_ = error;
  }
  const char* text() const { return ok() ? nullptr : cudaGetErrorString(error_); }

 private:
  cudaError_t error_ = cudaSuccess;
};

template <class T>
class DeviceArray {
 public:
  DeviceArray(Status& status, std::uint64_t items) {
    if (!status.ok()) return;
    status.note(cudaMalloc(reinterpret_cast<void**>(&data_),
                           std::max<std::uint64_t>(items, 1) * sizeof(T)));
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  T* get() const { return data_; }

 private:
  T* data_ = nullptr;
};

// Rows with zeros up to row_bytes, and zero rows up to `padded`.
struct PaddedRows {
  PaddedRows(Status& status, std::uint32_t row_bytes, std::uint32_t padded)
      : rows(status, std::uint64_t{row_bytes} * padded), bytes(row_bytes), count(padded) {}
  void fill(Status& status, const std::uint8_t* from, const SearchShape& shape, std::uint32_t n) {
    if (!status.ok()) return;
    status.note(cudaMemset(rows.get(), 0, std::uint64_t{bytes} * count));
    status.note(cudaMemcpy2D(rows.get(), bytes, from, shape.dimensions, shape.dimensions, n,
                             cudaMemcpyHostToDevice));
  }
  DeviceArray<std::int8_t> rows;
  std::uint32_t bytes;
  std::uint32_t count;
};

// All vectors in chunks, smaller when candidates overflow, larger as thresholds grow sharp.
void search_chunks(Status& status, ScoreTask score, const PruneTask& prune_task,
                   const SearchShape& shape) {
  const std::uint32_t tiles = round_up(shape.count, kTileVectors) / kTileVectors;
  const std::uint32_t always_fits = (kCapacity - shape.k) / kTileVectors;
  std::uint32_t chunk = always_fits;
  for (std::uint32_t done = 0; done < tiles && status.ok();) {
    chunk = std::min(chunk, tiles - done);
    score.first_tile = done;
    score_tiles<<<chunk * score.query_tiles, kThreads>>>(score);
    prune<<<shape.queries, kThreads>>>(prune_task);
    status.note(cudaGetLastError());
    std::uint32_t overflow = 0;
    status.note(cudaMemcpy(&overflow, score.overflow, sizeof(overflow), cudaMemcpyDeviceToHost));
    if (overflow != 0) {
      status.note(cudaMemset(score.overflow, 0, sizeof(overflow)));
      chunk = std::max(always_fits, chunk / 4);
      continue;
    }
    done += chunk;
    // With vectors in no special order about k · chunk / done of them beat the threshold.
    const std::uint64_t next = std::uint64_t{done} * (kCapacity - shape.k) / (2 * shape.k);
    chunk = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(next, always_fits, 1u << 22));
  }
}

}  // namespace

const char* gpu_open(GpuFound& found) {
  int devices = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&devices); error != cudaSuccess) {
    return cudaGetErrorString(error);
  }
  if (devices == 0) return "no CUDA device";
  cudaDeviceProp properties{};
  Status status;
  status.note(cudaGetDeviceProperties(&properties, 0));
  if (status.ok() && properties.major < kMinimumMajor)
    return "the CUDA device is older than compute capability 8.0";
  status.note(cudaSetDevice(0));
  // A first search loads the kernels, which needs files that the sandbox will forbid.
  const SearchShape tiny{false, 1, 1, 1, 1};
  const std::uint8_t input[2] = {1, 1};
  std::uint64_t key = 0;
  if (const char* error = status.ok() ? gpu_search(tiny, input, &key) : status.text()) return error;
  std::strncpy(found.name, properties.name, sizeof(found.name) - 1);
  found.name[sizeof(found.name) - 1] = '\0';
  found.memory_bytes = properties.totalGlobalMem;
  return nullptr;
}

const char* gpu_search(const SearchShape& shape, const std::uint8_t* input, std::uint64_t* keys) {
  Status status;
  const std::uint32_t row_bytes = round_up(shape.dimensions, kTileBytes);
  PaddedRows vectors(status, row_bytes, round_up(shape.count, kTileVectors));
  PaddedRows queries(status, row_bytes, round_up(shape.queries, kTileQueries));
  DeviceArray<std::int32_t> vector_norms(status, vectors.count);
  DeviceArray<std::int32_t> query_norms(status, queries.count);
  DeviceArray<std::uint64_t> candidates(status, std::uint64_t{shape.queries} * kCapacity);
  DeviceArray<std::uint64_t> thresholds(status, shape.queries);
  DeviceArray<std::uint32_t> counts(status, shape.queries);
  DeviceArray<std::uint32_t> kept(status, shape.queries);
  DeviceArray<std::uint32_t> overflow(status, 1);
  vectors.fill(status, input, shape, shape.count);
  queries.fill(status, input + std::uint64_t{shape.count} * shape.dimensions, shape, shape.queries);
  if (!status.ok()) return status.text();
  status.note(cudaMemset(thresholds.get(), 0xff, shape.queries * sizeof(std::uint64_t)));
  status.note(cudaMemset(counts.get(), 0, shape.queries * sizeof(std::uint32_t)));
  status.note(cudaMemset(kept.get(), 0, shape.queries * sizeof(std::uint32_t)));
  status.note(cudaMemset(overflow.get(), 0, sizeof(std::uint32_t)));
  if (!shape.dot) {
    constexpr std::uint32_t kRowsABlock = kThreads / 32;
    squared_norms<<<round_up(vectors.count, kRowsABlock) / kRowsABlock, kThreads>>>(
        vectors.rows.get(), row_bytes, vectors.count, vector_norms.get());
    squared_norms<<<round_up(queries.count, kRowsABlock) / kRowsABlock, kThreads>>>(
        queries.rows.get(), row_bytes, queries.count, query_norms.get());
  }
  search_chunks(
      status,
      {vectors.rows.get(), queries.rows.get(), shape.dot ? nullptr : vector_norms.get(),
       query_norms.get(), row_bytes, shape.count, shape.queries, queries.count / kTileQueries, 0,
       thresholds.get(), candidates.get(), counts.get(), overflow.get()},
      {candidates.get(), counts.get(), kept.get(), thresholds.get(), overflow.get(), shape.k},
      shape);
  status.note(cudaMemcpy2D(keys, shape.k * sizeof(std::uint64_t), candidates.get(),
                           kCapacity * sizeof(std::uint64_t), shape.k * sizeof(std::uint64_t),
                           shape.queries, cudaMemcpyDeviceToHost));
  return status.text();
}

}  // namespace tally::executors::cuda
