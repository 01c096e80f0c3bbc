// The device code of vector_search.
//
//   score_tiles  int8 tensor-core products (mma.m16n8k32, exact in int32) of 128 vectors by 64
//                queries a block. Scores never reach memory: each becomes a key (rank, id) in
//                registers and is appended to its query's candidates only if it beats that query's
//                threshold, the k-th best key so far. So the traffic is the vectors, read once.
//   prune        sorts a query's candidates in shared memory, keeps the best k, and lowers the
//                threshold.
//
// Candidates have room for kCapacity keys a query. When a chunk of vectors yields more, nothing of
// it is kept and the host takes a smaller one; a chunk of kCapacity − k vectors always fits. Which
// blocks run first changes the order of appending, never the result: keys are unique and the sort
// is total.
//
// Rows are padded with zeros to a multiple of 64 bytes, vectors to a multiple of 128 and queries of
// 64. Fragment layouts: PTX ISA, "Matrix Fragments for mma.m16n8k32".
#pragma once

#include <cstdint>

namespace tally::executors::cuda {

constexpr int kTileVectors = 128;
constexpr int kTileQueries = 64;
constexpr int kTileBytes = 64;  // of each row at a time
constexpr int kRowStride = 80;  // in shared memory: conflict-free for the fragments' 4-byte reads
constexpr int kThreads = 256;   // 8 warps: 4 along vectors, 2 along queries, 32 × 32 each
constexpr std::uint32_t kCapacity = 4'096;
constexpr std::uint64_t kNoKey = ~std::uint64_t{0};

struct ScoreTask {
  const std::int8_t* vectors;
  const std::int8_t* queries;
  const std::int32_t* vector_norms;  // null: dot
  const std::int32_t* query_norms;
  std::uint32_t row_bytes;  // padded
  std::uint32_t count;      // vectors that are real
  std::uint32_t query_count;
  std::uint32_t query_tiles;
  std::uint32_t first_tile;  // of vectors
  const std::uint64_t* thresholds;
  std::uint64_t* candidates;  // kCapacity a query
  std::uint32_t* counts;
  std::uint32_t* overflow;
};

struct alignas(16) TileBuffers {
  std::int8_t vectors[kTileVectors * kRowStride];
  std::int8_t queries[kTileQueries * kRowStride];
};

__device__ inline std::uint64_t key_of(std::int32_t rank, std::uint32_t id) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(rank) ^ 0x80000000u) << 32) | id;
}

// Copies 64 bytes of each row of both tiles into shared memory, without waiting.
__device__ inline void fetch_tiles(const ScoreTask& task, std::uint32_t vector_row,
                                   std::uint32_t query_row, std::uint32_t at, TileBuffers& to) {
  const int thread = static_cast<int>(threadIdx.x);
  for (int i = thread; i < kTileVectors * 4; i += kThreads) {
    const int row = i / 4, piece = i % 4 * 16;
    copy_async(&to.vectors[row * kRowStride + piece],
               task.vectors + (std::uint64_t{vector_row} + row) * task.row_bytes + at + piece);
  }
  for (int i = thread; i < kTileQueries * 4; i += kThreads) {
    const int row = i / 4, piece = i % 4 * 16;
    copy_async(&to.queries[row * kRowStride + piece],
               task.queries + (std::uint64_t{query_row} + row) * task.row_bytes + at + piece);
  }
  copy_commit();
}

__device__ inline std::uint32_t word_at(const std::int8_t* bytes) {
  return *reinterpret_cast<const std::uint32_t*>(bytes);
}

// One 64-byte slice: two steps of 32, each 2 × 4 products of 16 × 8 for this warp.
__device__ inline void multiply_slice(const TileBuffers& tile, std::int32_t (&sums)[2][4][4]) {
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const int group = lane / 4, part = lane % 4 * 4;
  const std::int8_t* const vectors = tile.vectors + (warp % 4 * 32 + group) * kRowStride + part;
  const std::int8_t* const queries = tile.queries + (warp / 4 * 32 + group) * kRowStride + part;
  for (int step = 0; step < kTileBytes; step += 32) {
    std::uint32_t a[2][4], b[4][2];
    for (int m = 0; m < 2; ++m) {
      const std::int8_t* const row = vectors + m * 16 * kRowStride + step;
      a[m][0] = word_at(row);
      a[m][1] = word_at(row + 8 * kRowStride);
      a[m][2] = word_at(row + 16);
      a[m][3] = word_at(row + 8 * kRowStride + 16);
    }
    for (int n = 0; n < 4; ++n) {
      const std::int8_t* const row = queries + n * 8 * kRowStride + step;
      b[n][0] = word_at(row);
      b[n][1] = word_at(row + 16);
    }
    for (int m = 0; m < 2; ++m) {
      for (int n = 0; n < 4; ++n) multiply_add(sums[m][n], a[m], b[n]);
    }
  }
}

__device__ inline void offer(const ScoreTask& task, std::uint32_t id, std::uint32_t query,
                             std::int32_t dot) {
  if (id >= task.count || query >= task.query_count) return;
  const std::int32_t rank = task.vector_norms == nullptr
                                ? -dot
                                : task.vector_norms[id] + task.query_norms[query] - 2 * dot;
  const std::uint64_t key = key_of(rank, id);
  if (key >= task.thresholds[query]) return;
  const std::uint32_t place = atomicAdd(&task.counts[query], 1u);
  if (place < kCapacity) {
    task.candidates[std::uint64_t{query} * kCapacity + place] = key;
  } else {
    *task.overflow = 1;
  }
}

__global__ void __launch_bounds__(kThreads) score_tiles(ScoreTask task) {
  __shared__ TileBuffers tiles[2];
  // Query tiles of one vector tile run side by side, so that the vectors come from memory once.
  const std::uint32_t vector_row = (task.first_tile + blockIdx.x / task.query_tiles) * kTileVectors;
  const std::uint32_t query_row = blockIdx.x % task.query_tiles * kTileQueries;
  std::int32_t sums[2][4][4] = {};
  const std::uint32_t slices = task.row_bytes / kTileBytes;
  fetch_tiles(task, vector_row, query_row, 0, tiles[0]);
  for (std::uint32_t slice = 0; slice < slices; ++slice) {
    if (slice + 1 < slices) {
      fetch_tiles(task, vector_row, query_row, (slice + 1) * kTileBytes, tiles[(slice + 1) % 2]);
      copy_wait_but_one();
    } else {
      copy_wait_all();
    }
    __syncthreads();
    multiply_slice(tiles[slice % 2], sums);
    __syncthreads();
  }
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const std::uint32_t row = vector_row + static_cast<std::uint32_t>(warp % 4 * 32 + lane / 4);
  const std::uint32_t column = query_row + static_cast<std::uint32_t>(warp / 4 * 32 + lane % 4 * 2);
  for (int m = 0; m < 2; ++m) {
    for (int n = 0; n < 4; ++n) {
      for (int i = 0; i < 4; ++i) {
        offer(task, row + static_cast<std::uint32_t>(m * 16 + i / 2 * 8),
              column + static_cast<std::uint32_t>(n * 8 + i % 2), sums[m][n][i]);
      }
    }
  }
}

struct PruneTask {
  std::uint64_t* candidates;
  std::uint32_t* counts;
  std::uint32_t* kept;  // how many of a query's candidates were there before the chunk
  std::uint64_t* thresholds;
  const std::uint32_t* overflow;
  std::uint32_t k;
};

// A block a query; bitonic sort of the next power of two of its candidates.
__global__ void __launch_bounds__(kThreads) prune(PruneTask task) {
  __shared__ std::uint64_t keys[kCapacity];
  const std::uint32_t query = blockIdx.x, thread = threadIdx.x;
  std::uint64_t* const candidates = task.candidates + std::uint64_t{query} * kCapacity;
  if (*task.overflow != 0) {
    // The whole chunk is given up: what was appended is forgotten, for every query.
    if (thread == 0) task.counts[query] = task.kept[query];
    return;
  }
  const std::uint32_t count = task.counts[query];
  std::uint32_t size = 1;
  while (size < count) size *= 2;
  for (std::uint32_t i = thread; i < size; i += kThreads) {
    keys[i] = i < count ? candidates[i] : kNoKey;
  }
  for (std::uint32_t run = 2; run <= size; run *= 2) {
    for (std::uint32_t distance = run / 2; distance > 0; distance /= 2) {
      __syncthreads();
      for (std::uint32_t i = thread; i < size; i += kThreads) {
        const std::uint32_t other = i ^ distance;
        if (other <= i) continue;
        const bool ascending = (i & run) == 0;
        const std::uint64_t a = keys[i], b = keys[other];
        if ((a > b) != ascending) continue;
        keys[i] = b;
        keys[other] = a;
      }
    }
  }
  __syncthreads();
  const std::uint32_t left = count < task.k ? count : task.k;
  for (std::uint32_t i = thread; i < left; i += kThreads) candidates[i] = keys[i];
  if (thread != 0) return;
  task.counts[query] = left;
  task.kept[query] = left;
  task.thresholds[query] = left == task.k ? keys[task.k - 1] : kNoKey;
}

// Squared norms of rows, a warp a row.
__global__ void __launch_bounds__(kThreads)
    squared_norms(const std::int8_t* rows, std::uint32_t row_bytes, std::uint32_t count,
                  std::int32_t* norms) {
  const std::uint32_t row = (blockIdx.x * kThreads + threadIdx.x) / 32;
  if (row >= count) return;
  std::int32_t sum = 0;
  for (std::uint32_t at = threadIdx.x % 32; at < row_bytes; at += 32) {
    const std::int32_t value = rows[std::uint64_t{row} * row_bytes + at];
    sum += value * value;
  }
  for (int distance = 16; distance > 0; distance /= 2) sum += from_lane(sum, distance);
  if (threadIdx.x % 32 == 0) norms[row] = sum;
}

}  // namespace tally::executors::cuda
