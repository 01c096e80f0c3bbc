// A small, strict Arweave gateway for tests: a whole network in memory, over HTTP on a free port.
//
//   Gateway gateway;                      // listens on 127.0.0.1 until it is destroyed
//   gateway.mint(address, 10'000'000);
//   gateway.fail_next({.path = "/chunk", .kind = FaultKind::status, .status = 503, .times = 2});
//
// It takes nothing on trust: a transaction must be signed, have an anchor of this gateway, a reward
// that is not below the price, and an owner who can pay (who then pays, once); a chunk must be
// proved and belong to a transaction; a data item must be signed. It answers 400 and says why. Data
// can be read when all chunks are there. Blocks come when mine() is called.
//
// As HTTP: what arweave-js uses (/info /tx_anchor /price /wallet /tx /chunk /graphql for one data
// item), arlocal's /mint and /mine, a bundler (POST /bundler/tx), an IPFS node and gateway for raw
// blocks (POST /api/v0/block/put, GET /ipfs/CID), and POST /faults, which takes a Fault as JSON.
//
// Threads: every function may be called from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "primitives/bytes.hpp"

namespace tally::gateway {

enum class FaultKind : std::uint8_t {
  status,       // answers with `status`
  silent,       // never answers
  drop,         // closes the connection without an answer
  drop_after,   // does what was asked, then closes without an answer
  wrong_bytes,  // flips a bit in the middle of the answer's body
  truncated,    // announces the whole body and sends half
  shorter,      // a well-formed answer with half of the body
  other_id,     // a transaction: answers with another one that it has
  forged,       // a transaction: one of its fields is another than was signed
};

struct Fault {
  std::string path;  // a target that begins with this; with "POST " or "GET " in front, only those
  FaultKind kind = FaultKind::status;
  unsigned status = 503;
  unsigned times = 1;
  unsigned after = 0;  // lets so many pass first
};

class Gateway {
 public:
  explicit Gateway(std::uint16_t port = 0);  // 0: a free one
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  std::uint16_t port() const;
  std::string url() const;

  void mint(const std::string& address, std::uint64_t winston);
  std::uint64_t balance(const std::string& address) const;
  void mine(unsigned blocks);
  void fail_next(const Fault& fault);
  // Multiplies the price by `factor` after so many more quotes.
  void jump_price(unsigned after_quotes, std::uint64_t factor);
  // As if it had never seen the transaction or data item; who paid has paid.
  void forget(const std::string& id);
  // Knows the transaction, and has lost its data.
  void forget_data(const std::string& id);

  // How many requests came that begin so, as Fault::path says.
  std::size_t requests(const std::string& path) const;
  // Transactions that were taken and paid.
  std::size_t paid_transactions() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tally::gateway
