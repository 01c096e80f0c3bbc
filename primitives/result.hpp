// Result<T, E>: a value or a typed error, for every operation that can fail for a reason that is
// not a bug. It wraps tl::expected and takes away what is undefined there: looking at the side that
// is not held is a checked bug here.
//
//   Result<Header, DecodeError> decode_header(ByteView);
//   Header header = TALLY_TRY(decode_header(bytes));   // returns the error to the caller
//   return fail(DecodeError{...});
//
// Error is the text error of the edges (files, sockets, configuration); below the edges an error is
// a numbered enumeration or a small struct.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

#include "primitives/assert.hpp"

namespace tally {

// What fail() returns; converts to any Result with that error type.
template <class E>
struct Failure {
  E error;
};

template <class E>
Failure<std::decay_t<E>> fail(E&& error) {
  return {std::forward<E>(error)};
}

template <class T, class E>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = E;

  Result(const T& value) : inner_(value) {}
  Result(T&& value) : inner_(std::move(value)) {}
  template <class F>
  requires std::is_convertible_v<F, E> Result(Failure<F> failure)
      : inner_(tl::unexpected<E>(std::move(failure.error))) {}

  bool ok() const { return inner_.has_value(); }
  explicit operator bool() const { return ok(); }

  T& operator*() & { return TALLY_ASSERT(ok()), *inner_; }
  const T& operator*() const& { return TALLY_ASSERT(ok()), *inner_; }
  T&& operator*() && { return TALLY_ASSERT(ok()), *std::move(inner_); }
  T* operator->() { return TALLY_ASSERT(ok()), &*inner_; }
  const T* operator->() const { return TALLY_ASSERT(ok()), &*inner_; }

  E& error() & { return TALLY_ASSERT(!ok()), inner_.error(); }
  const E& error() const& { return TALLY_ASSERT(!ok()), inner_.error(); }
  E&& error() && { return TALLY_ASSERT(!ok()), std::move(inner_).error(); }

  T value_or(T other) const { return ok() ? *inner_ : std::move(other); }

 private:
  tl::expected<T, E> inner_;
};

template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  using value_type = void;
  using error_type = E;

  Result() = default;
  template <class F>
  requires std::is_convertible_v<F, E> Result(Failure<F> failure)
      : inner_(tl::unexpected<E>(std::move(failure.error))) {}

  bool ok() const { return inner_.has_value(); }
  explicit operator bool() const { return ok(); }
  void operator*() const { TALLY_ASSERT(ok()); }

  E& error() & { return TALLY_ASSERT(!ok()), inner_.error(); }
  const E& error() const& { return TALLY_ASSERT(!ok()), inner_.error(); }
  E&& error() && { return TALLY_ASSERT(!ok()), std::move(inner_).error(); }

 private:
  tl::expected<void, E> inner_;
};

// An error of the environment, said to a person: what was expected, what came, what to do.
struct Error {
  std::string message;
};

inline Failure<Error> fail_with(std::string message) {
  return {Error{std::move(message)}};
}

}  // namespace tally

// Takes the value out of a Result, or returns its error from the enclosing function.
#define TALLY_TRY(...)                                                                       \
  ({                                                                                         \
    auto&& tally_try_result_ = (__VA_ARGS__);                                                \
    if (!tally_try_result_.ok()) return ::tally::fail(std::move(tally_try_result_).error()); \
    *std::move(tally_try_result_);                                                           \
  })
