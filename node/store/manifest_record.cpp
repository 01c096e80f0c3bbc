#include "node/store/manifest_record.hpp"

#include <fstream>
#include <sstream>

#include "primitives/crypto/hash.hpp"

namespace tally::store {
namespace {

constexpr const char* kRecordName = "manifest-record";

std::optional<std::string> content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

struct Manifest {
  std::string name;
  std::string content;
};

// The one that CURRENT names; nothing when there is none, or it was replaced meanwhile.
std::optional<Manifest> manifest_in(const std::string& folder) {
  Manifest out;
  std::istringstream current(content_of(folder + "/CURRENT").value_or(""));
  if (!(current >> out.name)) return std::nullopt;
  auto content = content_of(folder + "/" + out.name);
  if (!content) return std::nullopt;
  out.content = std::move(*content);
  return out;
}

std::string digest(std::string_view content) {
  return to_hex(blake2_256(as_bytes(content)));
}

}  // namespace

ManifestRecord::ManifestRecord(std::string folder)
    : folder_(std::move(folder)), file_(posix_file(folder_ + "/" + kRecordName)) {}

std::optional<std::string> ManifestRecord::fault() const {
  const auto record = file_->read();
  const auto manifest = manifest_in(folder_);
  if (!record || !manifest) return std::nullopt;  // RocksDB says what is missing
  std::istringstream line{std::string(as_text(*record))};
  std::string name;
  std::size_t size = 0;
  std::string expected;
  if (!(line >> name >> size >> expected)) return "its " + std::string(kRecordName) + " is not one";
  if (name != manifest->name) return std::nullopt;  // a newer one, not recorded yet
  if (manifest->content.size() < size) {
    return name + " has " + std::to_string(manifest->content.size()) + " of at least " +
           std::to_string(size) + " bytes";
  }
  if (digest(std::string_view(manifest->content).substr(0, size)) != expected) {
    return name + " is not as it was recorded";
  }
  return std::nullopt;
}

void ManifestRecord::update() {
  const std::scoped_lock lock(mutex_);
  const auto manifest = manifest_in(folder_);
  if (!manifest) return;
  const std::string line = manifest->name + " " + std::to_string(manifest->content.size()) + " " +
                           digest(manifest->content) + "\n";
  file_->replace(as_bytes(line));
}

}  // namespace tally::store
