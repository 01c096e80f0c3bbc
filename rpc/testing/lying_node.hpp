// A node that passes a light client's calls on to an honest one and changes one field of one
// answer on the way back: what stands between a client and the truth in tests.
//
// The fields of an answer are numbered in the order in which they stand, a message's before those
// that follow it, and each can be changed in several ways (see Change). A field that is not there
// is given.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tally::testing {

enum class Call : std::uint8_t { info, header, finality_proof, read };

enum class Change : std::uint8_t {
  flip_first,  // a bit of the first byte; numbers plus one
  flip_last,
  flip_middle,
  cut,    // the last byte, or the last of a list, is missing
  grow,   // a byte more, or the last of a list twice
  empty,  // the field is not there
};
inline constexpr Change kChanges[] = {Change::flip_first, Change::flip_last, Change::flip_middle,
                                      Change::cut,        Change::grow,      Change::empty};

class LyingNode {
 public:
  explicit LyingNode(const std::string& honest);  // its address
  ~LyingNode();
  std::string address() const;

  struct Lie {
    Call call{};
    int answer = 0;  // which of this call's answers, counted from when the lie was set
    int field = 0;
    Change change{};
  };
  // Nothing before was changed by this lie.
  void tell(const Lie& lie);
  void be_honest();
  // From now on every call fails with these words.
  void refuse(const std::string& words);
  // The name of the field that was changed since tell(), such as "block.hash"; empty when nothing
  // was, since there was no such answer or field, or the change made no difference.
  std::string changed() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tally::testing
