#include "worker/wasm/meter.hpp"

#include <wabt/cast.h>

#include <optional>

#include "primitives/assert.hpp"
#include "worker/wasm/cost.hpp"
#include "worker/wasm/module.hpp"

namespace tally::wasm {

namespace {

using wabt::Const;
using wabt::ConstExpr;
using wabt::Expr;
using wabt::ExprList;
using wabt::ExprType;
using wabt::Index;
using wabt::Opcode;
using wabt::Var;

constexpr std::uint32_t kPageFuelLog2 = 13;
static_assert(kPageFuel == 1u << kPageFuelLog2);

std::uint32_t fuel_of_opcode(Opcode opcode) {
  const auto fuel = fuel_of({opcode.GetPrefix(), opcode.GetCode()});
  TALLY_ASSERT(fuel.has_value());
  return *fuel;
}

// Instructions that are put in before a given one, in the order of the calls. Every sequence leaves
// the stack as it found it.
class Inserter {
 public:
  Inserter(ExprList& list, ExprList::iterator before, const MeterGlobals& globals)
      : list_(list), before_(before), globals_(globals) {}

  void charge(std::uint64_t fuel) {
    get(globals_.fuel);
    add<ConstExpr>(Const::I64(fuel));
    add<wabt::BinaryExpr>(Opcode::I64Sub);
    set(globals_.fuel);
  }
  // The i32 in the local, shifted left (or right: negative), is subtracted.
  void charge_by_local(Index local, int shift) {
    get(globals_.fuel);
    add<wabt::LocalGetExpr>(variable(local));
    add<wabt::ConvertExpr>(Opcode::I64ExtendI32U);
    add<ConstExpr>(Const::I64(static_cast<std::uint64_t>(shift < 0 ? -shift : shift)));
    add<wabt::BinaryExpr>(shift < 0 ? Opcode::I64ShrU : Opcode::I64Shl);
    add<wabt::BinaryExpr>(Opcode::I64Sub);
    set(globals_.fuel);
  }
  void trap_without_fuel() {
    get(globals_.fuel);
    add<ConstExpr>(Const::I64(0));
    add<wabt::CompareExpr>(Opcode::I64LtS);
    trap_if();
  }
  void trap_too_deep() {
    get(globals_.depth);
    add<ConstExpr>(Const::I32(kMaxCallDepth));
    add<wabt::CompareExpr>(Opcode::I32GtU);
    trap_if();
  }
  void count_depth(Opcode add_or_sub) {
    get(globals_.depth);
    add<ConstExpr>(Const::I32(1));
    add<wabt::BinaryExpr>(add_or_sub);
    set(globals_.depth);
  }
  void tee(Index local) { add<wabt::LocalTeeExpr>(variable(local)); }

 private:
  static Var variable(Index index) { return Var(index, wabt::Location()); }
  template <class T, class... Arguments>
  void add(Arguments&&... arguments) {
    list_.insert(before_, std::make_unique<T>(std::forward<Arguments>(arguments)...));
  }
  void get(Index global) { add<wabt::GlobalGetExpr>(variable(global)); }
  void set(Index global) { add<wabt::GlobalSetExpr>(variable(global)); }
  void trap_if() {
    auto branch = std::make_unique<wabt::IfExpr>();
    branch->true_.exprs.push_back(std::make_unique<wabt::UnreachableExpr>());
    list_.insert(before_, std::move(branch));
  }

  ExprList& list_;
  ExprList::iterator before_;
  const MeterGlobals& globals_;
};

// Walks one function. A run is a stretch of instructions of which all are executed if the first is:
// it goes on into a block, and ends at a branch, a loop, an if, and where branches arrive.
class FunctionMeter {
 public:
  FunctionMeter(wabt::Func& function, const MeterGlobals& globals)
      : function_(function), globals_(globals) {}

  void rewrite() {
    const Index locals = function_.GetNumLocals();
    begin(function_.exprs, function_.exprs.begin(), kFunctionFuel + locals, Check::entry);
    walk(function_.exprs);
    end_run();
  }

 private:
  enum class Check { none, loop, entry };
  struct Run {
    ExprList* list;
    ExprList::iterator first;
    std::uint64_t fuel;
    Check check;
  };

  void begin(ExprList& list, ExprList::iterator first, std::uint64_t fuel, Check check) {
    run_ = Run{&list, first, fuel + kRunFuel, check};
  }
  void pay(ExprList& list, ExprList::iterator at, std::uint64_t fuel) {
    if (!run_) begin(list, at, 0, Check::none);
    run_->fuel += fuel;
  }
  void end_run() {
    if (!run_) return;
    Inserter insert(*run_->list, run_->first, globals_);
    insert.charge(run_->fuel);
    if (run_->check != Check::none) insert.trap_without_fuel();
    if (run_->check == Check::entry) insert.trap_too_deep();
    run_.reset();
  }

  // What visit() puts in is not walked.
  void walk(ExprList& list) {
    for (auto next = list.begin(); next != list.end();) {
      const auto at = next++;
      visit(list, at);
    }
  }
  void visit(ExprList& list, ExprList::iterator at);
  void visit_if(wabt::IfExpr& branch);
  void visit_simple(ExprList& list, ExprList::iterator at);
  void visit_sized(ExprList& list, ExprList::iterator at, int shift);
  void visit_call(ExprList& list, ExprList::iterator at, Opcode opcode);
  Index scratch();

  wabt::Func& function_;
  const MeterGlobals& globals_;
  std::optional<Run> run_;
  std::optional<Index> scratch_;
};

void FunctionMeter::visit(ExprList& list, ExprList::iterator at) {
  if (auto* block = wabt::dyn_cast<wabt::BlockExpr>(&*at)) {
    if (!run_) begin(list, at, 0, Check::none);
    walk(block->block.exprs);
    end_run();
  } else if (auto* loop = wabt::dyn_cast<wabt::LoopExpr>(&*at)) {
    end_run();
    ExprList& body = loop->block.exprs;
    begin(body, body.begin(), kLoopFuel, Check::loop);
    walk(body);
    end_run();
  } else if (auto* branch = wabt::dyn_cast<wabt::IfExpr>(&*at)) {
    pay(list, at, fuel_of_opcode(Opcode::If));
    end_run();
    visit_if(*branch);
  } else {
    visit_simple(list, at);
  }
}

void FunctionMeter::visit_if(wabt::IfExpr& branch) {
  walk(branch.true_.exprs);
  end_run();
  walk(branch.false_);
  end_run();
}

void FunctionMeter::visit_simple(ExprList& list, ExprList::iterator at) {
  Expr& expr = *at;
  const auto one = [&](Opcode opcode) { pay(list, at, fuel_of_opcode(opcode)); };
  const auto last = [&](Opcode opcode) {
    one(opcode);
    end_run();
  };
  const ExprType type = expr.type();
  if (type == ExprType::Br) return last(Opcode::Br);
  if (type == ExprType::BrIf) return last(Opcode::BrIf);
  if (type == ExprType::BrTable) return last(Opcode::BrTable);
  if (type == ExprType::Return) return last(Opcode::Return);
  if (type == ExprType::Unreachable) return last(Opcode::Unreachable);
  if (type == ExprType::Call) return visit_call(list, at, Opcode::Call);
  if (type == ExprType::CallIndirect) return visit_call(list, at, Opcode::CallIndirect);
  if (type == ExprType::MemoryGrow) return visit_sized(list, at, kPageFuelLog2);
  if (type == ExprType::MemoryFill || type == ExprType::MemoryCopy) {
    return visit_sized(list, at, -static_cast<int>(kBytesPerFuelLog2));
  }
  if (auto* binary = wabt::dyn_cast<wabt::BinaryExpr>(&expr)) return one(binary->opcode);
  if (auto* compare = wabt::dyn_cast<wabt::CompareExpr>(&expr)) return one(compare->opcode);
  if (auto* convert = wabt::dyn_cast<wabt::ConvertExpr>(&expr)) return one(convert->opcode);
  if (auto* unary = wabt::dyn_cast<wabt::UnaryExpr>(&expr)) return one(unary->opcode);
  if (auto* load = wabt::dyn_cast<wabt::LoadExpr>(&expr)) return one(load->opcode);
  if (auto* store = wabt::dyn_cast<wabt::StoreExpr>(&expr)) return one(store->opcode);
  if (type == ExprType::MemorySize) return one(Opcode::MemorySize);
  if (type == ExprType::Nop) return;
  // Constants, locals, globals, drop and select.
  one(Opcode::Drop);
}

// The size is on top of the stack: it is kept in a local of ours while it is paid for.
void FunctionMeter::visit_sized(ExprList& list, ExprList::iterator at, int shift) {
  pay(list, at, fuel_of_opcode(Opcode::MemoryGrow));
  const Index local = scratch();
  Inserter insert(list, at, globals_);
  insert.tee(local);
  insert.charge_by_local(local, shift);
  insert.trap_without_fuel();
}

void FunctionMeter::visit_call(ExprList& list, ExprList::iterator at, Opcode opcode) {
  pay(list, at, fuel_of_opcode(opcode));
  Inserter(list, at, globals_).count_depth(Opcode::I32Add);
  auto next = at;
  Inserter(list, ++next, globals_).count_depth(Opcode::I32Sub);
}

Index FunctionMeter::scratch() {
  if (!scratch_) {
    scratch_ = function_.GetNumParamsAndLocals();
    function_.local_types.AppendDecl(wabt::Type::I32, 1);
  }
  return *scratch_;
}

Index add_global(wabt::Module& module, wabt::Type type, const Const& zero) {
  auto field = std::make_unique<wabt::GlobalModuleField>();
  field->global.type = type;
  field->global.mutable_ = true;
  field->global.init_expr.push_back(std::make_unique<ConstExpr>(zero));
  module.AppendField(std::move(field));
  return static_cast<Index>(module.globals.size() - 1);
}

}  // namespace

MeterGlobals add_metering(wabt::Module& module) {
  MeterGlobals globals;
  globals.fuel = add_global(module, wabt::Type::I64, Const::I64(0));
  globals.depth = add_global(module, wabt::Type::I32, Const::I32(0));
  for (wabt::Func* function : module.funcs) FunctionMeter(*function, globals).rewrite();
  return globals;
}

}  // namespace tally::wasm
