// What the gateway knows and answers, without a socket. Internal to the gateway.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client-sdk/arweave/data_item.hpp"
#include "client-sdk/arweave/transaction.hpp"

namespace tally::gateway {

struct Answer {
  unsigned status = 200;
  std::string body;
  std::string content_type = "text/plain";
};

struct Question {
  std::string method;
  std::string target;
  std::string content_type;
  std::string body;
};

class Network {
 public:
  Answer answer(const Question& question);

  void mint(const std::string& address, std::uint64_t winston) { balances_[address] += winston; }
  std::uint64_t balance(const std::string& address) const;
  void mine(unsigned blocks);
  void jump_price(unsigned after_quotes, std::uint64_t factor);
  void forget(const std::string& id);
  void forget_data(const std::string& id);
  std::size_t paid_transactions() const { return paid_.size(); }
  // Any transaction but this one, as its JSON.
  std::optional<std::string> another(const std::string& id) const;

 private:
  struct StoredTransaction {
    arweave::Transaction tx;
    std::map<std::uint64_t, Bytes> chunks;  // by first byte
    std::map<std::uint64_t, Bytes> paths;
    std::uint64_t end = 0;                // one past its last byte in the weave
    std::optional<std::uint64_t> height;  // of its block
  };
  struct StoredItem {
    arweave::DataItem item;
    std::optional<std::uint64_t> height;
  };

  Answer get(const std::string& target);
  Answer get_transaction(const std::string& rest);
  Answer get_chunk(const std::string& offset);
  Answer get_data(const std::string& id);
  Answer status_of(const StoredTransaction& stored) const;
  Answer post_transaction(const Question& question);
  Answer post_chunk(const Question& question);
  Answer post_item(const Question& question);
  Answer post_block(const Question& question);
  Answer ask_index(const Question& question);
  std::string new_anchor();
  std::uint64_t price_of(std::uint64_t bytes) const;
  std::string why_not(const arweave::Transaction& tx) const;
  void take(const arweave::Transaction& tx);

  std::map<std::string, std::uint64_t> balances_;
  std::map<std::string, StoredTransaction> transactions_;
  std::map<std::string, StoredItem> items_;
  std::map<std::string, Bytes> blocks_;  // of IPFS
  std::set<std::string> anchors_;        // decoded
  std::set<std::string> paid_;
  std::uint64_t height_ = 100;
  std::uint64_t weave_size_ = 1'000;
  std::uint64_t price_factor_ = 1;
  std::uint64_t quotes_ = 0;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> jump_;  // at which quote, by what
};

}  // namespace tally::gateway
