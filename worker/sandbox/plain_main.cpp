// The real executor as a program of its own, for the sandbox's tests.
#include "worker/sandbox/child.hpp"

int main(int argc, char** argv) {
  return tally::sandbox::run_child_if_asked(argc, argv, tally::executors::execute).value_or(2);
}
