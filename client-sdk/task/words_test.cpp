#include "client-sdk/task/words.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <random>
#include <set>
#include <string>

#include "client-sdk/task/specs.hpp"

namespace tally::task {
namespace {

std::int64_t distance(const Bytes& a, const Bytes& b) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const int d = static_cast<std::int8_t>(a[i]) - static_cast<std::int8_t>(b[i]);
    sum += d * d;
  }
  return sum;
}

// One slip of the keyboard: a letter changed, lost, doubled or added, or two swapped.
std::string misspell(std::string word, std::mt19937_64& random) {
  const std::size_t at = 1 + random() % (word.size() - 2);
  const char letter = static_cast<char>('a' + random() % 26);
  switch (random() % 4) {
    case 0:
      word[at] = letter;
      break;
    case 1:
      word.erase(at, 1);
      break;
    case 2:
      word.insert(at, 1, letter);
      break;
    case 3:
      std::swap(word[at], word[at + 1]);
      break;
  }
  return word;
}

TEST_CASE("a misspelled word's nearest vector is the intended word, nine times in ten") {
  std::ifstream file("/usr/share/dict/american-english");
  if (!file) {
    WARN("skipped: no word list (Debian package wamerican)");
    return;
  }
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word);) {
    if (word.size() >= 6 && word.find('\'') == std::string::npos) words.push_back(word);
  }
  REQUIRE(words.size() > 30'000);
  std::vector<Bytes> vectors;
  for (const auto& word : words) vectors.push_back(word_vector(word));

  const std::set<std::string> known(words.begin(), words.end());
  std::mt19937_64 random(9);
  int found = 0;
  int tries = 0;
  for (int i = 0; i < 160; ++i) {
    const std::size_t intended = random() % words.size();
    const std::string misspelled = misspell(words[intended], random);
    if (known.contains(misspelled)) continue;
    ++tries;
    const Bytes query = word_vector(misspelled);
    std::size_t best = 0;
    std::int64_t least = distance(query, vectors[0]);
    for (std::size_t id = 1; id < words.size(); ++id) {
      const std::int64_t d = distance(query, vectors[id]);
      if (d < least) {
        least = d;
        best = id;
      }
    }
    found += best == intended;
  }
  INFO(found << " of " << tries);
  CHECK(found >= tries * 9 / 10);
}

TEST_CASE("a word's vector is fixed for ever") {
  CHECK(word_vector("tally").size() == kWordDimensions);
  CHECK(word_vector("Tally") == word_vector("tally"));
  CHECK(word_vector("tally") != word_vector("tallied"));
  CHECK(word_vector("").size() == kWordDimensions);
  CHECK(word_vector(std::string(1000, 'a')) == word_vector(std::string(60, 'a')));
}

}  // namespace
}  // namespace tally::task
