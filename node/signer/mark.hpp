// SigningMark: what a validator's key has signed, kept by whoever holds the key, so that "Never" of
// consensus holds whatever a node asks for: never two different Notarize, two different Finalize,
// or both Nullify and Finalize in one view.
//
// It remembers every vote of the newest kMarkViews views of one epoch of one chain. An older view
// or epoch is refused, a newer epoch closes the one before for good. A statement that was signed
// before may be signed again: Ed25519 is deterministic.
//
// File: `signer-mark`, replaced atomically and synced before a signature leaves. What this process
// has written is not written again: a node that asks anew after a slow disk is answered at once.
//   Content (SCALE) ‖ blake2_256("tallystick/signer-mark/v1" ‖ Content)
// A file that does not hold is damage and no start. No file is no start either, unless the operator
// says that the key has never signed: a mark that was lost is not told from one that never was. Who
// says so beside a mark is refused: left in a standing command it would hide the loss of the next.
// A write that the disk refuses ends the process with status 74.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "node/consensus/own_votes.hpp"
#include "node/store/file.hpp"
#include "primitives/result.hpp"

namespace tally::signer {

constexpr std::size_t kMarkViews = 64;

struct MarkedView {
  View view;
  std::optional<Hash> notarized;
  bool nullified = false;
  std::optional<Hash> finalized;
};
TALLY_DESCRIBE(MarkedView, view, notarized, nullified, finalized);

struct MarkContent {
  Ed25519Key key;
  std::optional<Hash> genesis;  // of the chain; none: nothing signed yet
  Epoch epoch;
  View none_below;  // views below it are closed
  BoundedVec<MarkedView, kMarkViews> views;
};
TALLY_DESCRIBE(MarkContent, key, genesis, epoch, none_below, views);

class SigningMark {
 public:
  struct Options {
    Ed25519Key key;
    bool may_begin = false;  // the operator: this key has never signed
  };
  static Result<std::unique_ptr<SigningMark>, Error> open(std::unique_ptr<store::DurableFile> file,
                                                          const Options& options);

  // Nothing: it may be signed, and the disk knows. Otherwise why not.
  std::optional<std::string> admit(const Hash& genesis, const Statement& statement);
  const MarkContent& content() const { return content_; }

 private:
  SigningMark(std::unique_ptr<store::DurableFile> file, MarkContent content);
  std::optional<std::string> refusal(const Hash& genesis, const Statement& statement) const;
  void save();

  std::unique_ptr<store::DurableFile> file_;
  MarkContent content_;
  consensus::OwnVotes votes_;  // of the epoch
  bool saved_ = false;         // by this process
};

}  // namespace tally::signer
