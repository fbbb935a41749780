// The loop as a compiled model: the same components, events and order of events as the SimPy engine.
//
// Each component stands in the Python file of its name, where its behaviour is described; here is
// what a reader of both needs to know.
//
// - An event is a time, a rank and an action on a message, a window or a number. Events of one
//   instant happen by priority and then in the order in which they were scheduled, as SimPy's do,
//   so every call of `Clockwork::at` stands where its Python twin stands.
// - Time is a whole number of picoseconds in 64 bits. A sum that they do not hold ends the run.
// - Chance is not computed here. Python draws numbers a block at a time; `Laws` evaluates what
//   follows from them in whole numbers. A run pauses before a shot whose numbers are not there yet.
// - Memory is that of the shots in progress: a closed shot's is used again for a later one.
//
// The interface, at the end, is plain C: emulator/loop/native.py declares it once more in Python.

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <utility>
#include <vector>

using Int = std::int64_t;

extern "C" {

// A node of a tree of laws, by the classes of emulator/timing/law.py.
struct rt_law {
  Int kind, value, count, first, second;
  const Int *data;
};

struct rt_link {
  Int ports, hops, flight_ps, latency;
  const Int *serial_ps;  // of each packet of a shot, or of a response
};

struct rt_pool {
  Int servers, batch, timeout_ps, service;
};

// Tables over messages (M) and windows (W) of a shot; `..._from` has where each one's part begins.
struct rt_config {
  Int patches, shots, messages, windows;
  Int period_ps, offset_ps, shot_period_ps, horizon_ps, drain, keep;
  const Int *message_rounds, *message_stop, *committer;           // M
  const Int *packets_from, *packet_beats;                         // M + 1
  const Int *intake_from, *intake_beats;                          // M + 1
  const Int *completes_from, *completes_window, *completes_later; // M + 1
  const Int *needs_first, *needs_stop, *waits_for;                // W
  const Int *reads_rounds, *first_round, *last_round;             // W
  const Int *releases_from, *releases_message;                    // W + 1
  const Int *followers_from, *followers_window;                   // W + 1
  const Int *commits_from, *commits_message;                      // W + 1
  Int clock_edges, clock_span_ps;
  Int by_rounds, pipeline, store_and_forward, spacing, receive, spaced;
  const Int *seen_first, *seen_last;  // edges of each frame of each message, or null
  Int readout, readout_constant, losses, dispatch;  // laws; losses: -1 for none
  rt_link up, down;
  Int slots, waits, hold;
  Int predecodes;
  rt_pool predecode, decode;
  Int response_packets, response_beats;
  Int laws, draws;
  const rt_law *law;
  const Int *draws_stage;  // which stage takes each sequence of draws
};

// Where the rows go: column k of a table begins at k * stride.
struct rt_tables {
  Int *windows, windows_stride;
  std::uint8_t *applied;
  Int *messages, messages_stride;
  Int *done, *responses, *lost;
};

// 128-bit sums and a 192-bit one in words, the lowest first.
struct rt_tally {
  std::uint64_t busy[2], demand[2], squares[3];
  Int jobs, left_over;
};

struct rt_account {
  Int emitted, decoded, late, open_rounds, lost[3], end_ps, negative_ps, ring_waits;
  Int messages, done, responses, lost_windows;  // rows of the tables
  Int waiting[3];                               // ring, pre-decoders, decoders
  rt_tally tally[7];                            // in the order of Stage
  Int failed[5];  // where a law has no value: stage, job, busy, fill, rounds
};
}

namespace {

using Ps = Int;    // an instant or a time in picoseconds
using Edge = Int;  // number of a clock edge
__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 UnsignedWide;

enum Status { DONE, PAUSED, HUNGRY, TOO_LONG, LAWLESS, NEGATIVE, NO_MEMORY, DEFECT };
enum Cause : int { LINK_LOSS, RING_OVERRUN, INCOMPLETE, CAUSES };
enum Stage : int { PACKETISE, UPLINK, RING, DISPATCH, PREDECODE, DECODE, DOWNLINK, READOUT, LOSS };

// Ends a run.
struct Stop {
  Status status;
};

std::size_t at_place(Int number) { return static_cast<std::size_t>(number); }

Int plus(Int a, Int b) {
  Int sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) throw Stop{TOO_LONG};
  return sum;
}

Int narrow(Wide number) {
  const Int found = static_cast<Int>(number);
  if (found != number) throw Stop{TOO_LONG};
  return found;
}

Wide floor_divide(Wide above, Int below) {
  const Wide quotient = above / below;
  return quotient - (above % below != 0 && (above < 0) != (below < 0));
}

// Division of numbers from 0 to 2^63 - 1 by one divisor, with a product instead of a division.
class Divider {
 public:
  explicit Divider(Int divisor)
      : divisor_(divisor),
        reciprocal_(std::numeric_limits<std::uint64_t>::max() / static_cast<std::uint64_t>(divisor)) {}

  Int divisor() const { return divisor_; }

  // Quotient and remainder. The estimate is at most one too low: the reciprocal errs by less than 1
  // in 2^64, and the number is below 2^63.
  std::pair<Int, Int> divide(Int number) const {
    const auto product = static_cast<UnsignedWide>(static_cast<std::uint64_t>(number)) * reciprocal_;
    const Int low = static_cast<Int>(product >> 64);
    const Int rest = number - low * divisor_;
    const Int more = rest >= divisor_;
    return {low + more, rest - (more ? divisor_ : 0)};
  }

 private:
  Int divisor_;
  std::uint64_t reciprocal_;
};

// Edge n is at floor(n * span / edges). That product exceeds 64 bits after 57 s at 322 MHz; from
// there on it is done by quotient and remainder, whose product may take 128.
class Clock {
 public:
  Clock(Int edges, Int span) : edges_(edges), span_(span) {}

  Ps edge_ps(Edge number) const {
    Int product = 0;
    if (!__builtin_mul_overflow(number, span_.divisor(), &product))
      return edges_.divide(product).first;
    const auto [spans, rest] = edges_.divide(number);
    return narrow(static_cast<Wide>(spans) * span_.divisor() +
                  static_cast<Wide>(rest) * span_.divisor() / edges_.divisor());
  }

  // First edge that is not before an instant; there are never more edges than picoseconds.
  Edge at_or_after(Ps instant) const {
    Int product = 0;
    if (!__builtin_mul_overflow(instant, edges_.divisor(), &product)) {
      const auto [whole, rest] = span_.divide(product);
      return whole + (rest > 0);
    }
    const auto [spans, rest] = span_.divide(instant);
    const Wide more = static_cast<Wide>(rest) * edges_.divisor() + span_.divisor() - 1;
    return spans * edges_.divisor() + static_cast<Int>(more / span_.divisor());
  }

 private:
  Divider edges_, span_;
};

// What travels through a loop: emulator/loop/job.py.

struct ShotState;

struct Transit {
  ShotState *state;
  Int number;
  Int index;
  Int slot;
  Ps dispatch_ps;
  Ps emitted, digitised, framed, delivered, slotted, dispatched;
  Edge first, last;
  int cause;  // why it is lost, or -1
  bool holds_slot;
};

struct Job {
  ShotState *state;
  Job *next;  // of a batch
  Int position;
  Int waits_for;
  Ps queued;
  std::array<Ps, 9> stamps;  // from emitted_ps to decode_start_ps
  bool open;
};

struct ShotState {
  Int patch, shot;
  Int open;  // windows
  Int due;   // messages that are neither dispatched nor lost
  Int lost;  // messages
  std::vector<Transit> transits;
  std::vector<Job> jobs;
};

// The events that are to come: emulator/loop/clockwork.py.

constexpr std::size_t ACTIONS = 10;
constexpr Int MANY_PATCHES = 8;  // from which on lanes save time

enum class Do : std::uint64_t {
  tick,
  transmit,
  whole,
  missed,
  delivered,
  dispatched,
  predecoded,
  decoded,
  predecode_timeout,
  decode_timeout,
};

union Subject {
  Int number;
  Transit *transit;
  Job *job;
};

struct Event {
  Ps time;
  std::uint64_t rank;  // priority, sequence, action: 1, 59 and 4 bits
  Subject subject;

  Do action() const { return static_cast<Do>(rank & 15); }
  bool before(const Event &other) const {
    return time < other.time || (time == other.time && rank < other.rank);
  }
};

class Clockwork {
 public:
  Ps now = 0;
  Ps negative = 0;  // the delay that ended the run, if one did

  // Events after `last_ps` never happen and are not kept.
  Clockwork(Ps last_ps, bool drain, bool with_lanes)
      : with_lanes_(with_lanes), last_ps_(last_ps), drain_(drain) {}

  // The event that comes next, or null.
  const Event *next() {
    settle();
    return heap_.empty() ? nullptr : &heap_.front();
  }

  void at(Ps time, Do action, Subject subject, bool last = false) {
    if (time < now) {
      negative = time - now;
      throw Stop{NEGATIVE};
    }
    const std::uint64_t rank = (static_cast<std::uint64_t>(last) << 63) | (sequence_++ << 4);
    if (!drain_ && time > last_ps_) return;
    const Event event{time, rank | static_cast<std::uint64_t>(action), subject};
    if (with_lanes_)
      line_up(event);
    else
      push(event);
  }

  void after(Ps delay, Do action, Subject subject) {
    Ps time = 0;
    const bool beyond = __builtin_add_overflow(now, delay, &time);
    if (!beyond) return at(time, action, subject);
    if (drain_) throw Stop{TOO_LONG};
    ++sequence_;
  }

  // Take out the event that `next` gave.
  Event pop() {
    const Event event = heap_.front();
    gap_ = true;
    now = event.time;
    if (with_lanes_) follow(event);
    return event;
  }

 private:
  // Events of one action, all of one priority, most of which come in the order in which they were scheduled where many
  // patches do the same. Only the first is in the heap, where the others would cost the more the
  // more patches there are; they wait here.
  struct Lane {
    std::uint64_t first = NONE;  // rank
    Ps last = 0;
    std::deque<Event> others;
  };
  static constexpr std::uint64_t NONE = std::numeric_limits<std::uint64_t>::max();

  void line_up(const Event &event) {
    Lane &lane = lanes_[static_cast<std::size_t>(event.action())];
    if (lane.first != NONE && event.time < lane.last) return push(event);  // out of order
    lane.last = event.time;
    if (lane.first != NONE) return lane.others.push_back(event);
    lane.first = event.rank;
    push(event);
  }

  // Let the next of its lane into the heap when an event is taken out.
  void follow(const Event &event) {
    Lane &lane = lanes_[static_cast<std::size_t>(event.action())];
    if (lane.first != event.rank) return;
    lane.first = NONE;
    if (lane.others.empty()) return;
    lane.first = lane.others.front().rank;
    push(lane.others.front());
    lane.others.pop_front();
  }

  // A heap of four children a node: half as deep as one of two, and they share cache lines. An
  // event that is taken out leaves a gap at the top, which the next one that comes falls into: most
  // events have a successor.
  void push(const Event &event) {
    if (gap_) {
      gap_ = false;
      return sink(event);
    }
    std::size_t place = heap_.size();
    heap_.push_back(event);
    while (place > 0) {
      const std::size_t parent = (place - 1) / 4;
      if (!event.before(heap_[parent])) break;
      heap_[place] = heap_[parent];
      place = parent;
    }
    heap_[place] = event;
  }

  void settle() {
    if (!gap_) return;
    gap_ = false;
    const Event moved = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) sink(moved);
  }

  void sink(const Event &event) {
    const std::size_t size = heap_.size();
    std::size_t place = 0;
    for (;;) {
      const std::size_t first = 4 * place + 1;
      if (first >= size) break;
      std::size_t least = first;
      for (std::size_t child = first + 1; child < std::min(first + 4, size); ++child)
        if (heap_[child].before(heap_[least])) least = child;
      if (!heap_[least].before(event)) break;
      heap_[place] = heap_[least];
      place = least;
    }
    heap_[place] = event;
  }

  std::vector<Event> heap_;
  std::array<Lane, ACTIONS> lanes_;
  bool with_lanes_;
  bool gap_ = false;
  std::uint64_t sequence_ = 0;
  Ps last_ps_;
  bool drain_;
};

// How long each job takes: emulator/timing/law.py.

constexpr Int BLOCK_BITS = 12;
constexpr Int BLOCK = 1 << BLOCK_BITS;
constexpr Int PPM = 1000000;

// A sequence of drawn numbers, of which the blocks in use are there.
struct Draws {
  Int stage = 0;
  Int first = 0;  // number of the first block
  std::vector<std::unique_ptr<Int[]>> blocks;

  Int operator[](Int index) const {
    const Int place = (index >> BLOCK_BITS) - first;
    if (place < 0 || place >= static_cast<Int>(blocks.size())) throw Stop{DEFECT};
    return blocks[at_place(place)][at_place(index & (BLOCK - 1))];
  }
};

class Laws {
 public:
  std::vector<Draws> draws;
  std::array<Int, 5> failed{};

  explicit Laws(const rt_config &config) : draws(at_place(config.draws)), law_(config.law) {
    for (Int k = 0; k < config.draws; ++k) draws[at_place(k)].stage = config.draws_stage[k];
  }

  Int operator()(Stage stage, Int law, Int index, Int busy = 1, Int fill = 1, Int rounds = 0) {
    const rt_law &root = law_[law];
    if (root.kind == ALWAYS) return root.value;
    try {
      return value(root, index, busy, fill, rounds);
    } catch (const Stop &stop) {
      if (stop.status == LAWLESS) failed = {stage, index, busy, fill, rounds};
      throw;
    }
  }

 private:
  enum Kind : Int { ALWAYS, DRAWS, LISTED, COSTED, CHOICE, SLOPED, COLD, FILLED, AFFINE };

  Int value(const rt_law &law, Int index, Int busy, Int fill, Int rounds) const {
    const auto part = [&](Int number) { return value(law_[number], index, busy, fill, rounds); };
    switch (law.kind) {
      case ALWAYS:
        return law.value;
      case DRAWS:
        return draws[at_place(law.value)][index];
      case LISTED:  // value: starts over at the end
        if (index >= law.count && !law.value) throw Stop{LAWLESS};
        return law.data[index < law.count ? index : index % law.count];
      case COSTED:
        if (fill < 1 || fill > law.count) throw Stop{LAWLESS};
        return narrow(floor_divide(static_cast<Wide>(part(law.first)) * law.data[fill - 1], PPM));
      case CHOICE: {
        const Int chosen = part(law.first);
        if (chosen < 0 || chosen >= law.count) throw Stop{LAWLESS};
        return part(law.data[chosen]);
      }
      case SLOPED: {  // value: steps
        const Int idle = part(law.first);
        if (busy <= 1) return idle;
        const Wide slowdown = static_cast<Wide>(part(law.second)) - idle;
        if (law.value < 1) throw Stop{LAWLESS};
        return narrow(idle + floor_divide(slowdown * std::min(busy - 1, law.value), law.value));
      }
      case COLD:  // value: jobs
        return part(index < law.value ? law.first : law.second);
      case FILLED:
        return filled(law, fill);
      case AFFINE:  // value: windows only
        if (law.value && rounds < 1) throw Stop{LAWLESS};
        return narrow(part(law.first) + static_cast<Wide>(law.data[0]) * (busy - 1) +
                      static_cast<Wide>(law.data[1]) * (fill - 1) +
                      static_cast<Wide>(law.data[2]) * rounds);
      default:
        throw Stop{DEFECT};
    }
  }

  static Int filled(const rt_law &law, Int fill) {
    const Int *fills = law.data, *times = law.data + law.count;
    const Int above = std::upper_bound(fills, fills + law.count, fill) - fills;
    if (above == 0) return times[0];
    const Int start = fills[above - 1], time = times[above - 1];
    if (fill == start) return time;
    if (above == law.count) throw Stop{LAWLESS};
    const Wide slope = static_cast<Wide>(times[above]) - time;
    return narrow(time + floor_divide(slope * (fill - start), fills[above] - start));
  }

  const rt_law *law_;
};

// The account of a stage's servers: emulator/loop/tally.py. Of several ports one account is kept,
// as the SimPy engine adds theirs up in the end.
class Tally {
 public:
  Tally(Ps horizon, bool drain) : horizon_(horizon), drain_(drain) {}

  void add(Ps arrived, Ps start, Ps service) {
    occupy(start, service);
    count(arrived, start, service);
  }

  void occupy(Ps start, Ps service) {
    const Ps left = horizon_ - start;  // neither is negative
    if (service <= left)
      busy_ += service;
    else if (left > 0)
      busy_ += left;
  }

  void count(Ps arrived, Ps start, Ps service) {
    if (start > horizon_ && service > horizon_ - start) {
      if (arrived <= horizon_) ++left_over_;
      if (!drain_) return;
    }
    ++jobs_;
    demand_ += service;
    const auto square = static_cast<UnsignedWide>(static_cast<Wide>(service) * service);
    squares_ += square;
    overflows_ += squares_ < square;
  }

  void write(rt_tally &found) const {
    const auto split = [](UnsignedWide sum, std::uint64_t *words) {
      words[0] = static_cast<std::uint64_t>(sum);
      words[1] = static_cast<std::uint64_t>(sum >> 64);
    };
    split(static_cast<UnsignedWide>(busy_), found.busy);
    split(static_cast<UnsignedWide>(demand_), found.demand);
    split(squares_, found.squares);
    found.squares[2] = overflows_;
    found.jobs = jobs_;
    found.left_over = left_over_;
  }

 private:
  Ps horizon_;
  bool drain_;
  Wide busy_ = 0, demand_ = 0;
  UnsignedWide squares_ = 0;
  std::uint64_t overflows_ = 0;
  Int jobs_ = 0, left_over_ = 0;
};

// The account of the run and its rows: emulator/loop/ledger.py.
class Ledger {
 public:
  Int emitted = 0, decoded = 0, late = 0, open_rounds = 0;
  std::array<Int, CAUSES> lost{};
  Ps end_ps = 0;
  Int messages = 0, done = 0, responses = 0, lost_windows = 0;

  Ledger(const rt_config &config, const rt_tables &tables) : c_(config), tables_(tables) {}

  Int window(const Job &job) const {
    return (job.state->shot * c_.patches + job.state->patch) * c_.windows + job.position;
  }

  void send(const Transit &transit, Ps taken, bool is_lost) {
    ++messages;
    if (!c_.keep) return;
    const std::array<Int, 8> row{transit.index,  transit.state->patch, transit.state->shot,
                                 transit.number, taken,                transit.framed,
                                 transit.delivered, is_lost};
    Int *place = tables_.messages + transit.index;  // messages are sent in order
    for (const Int value : row) *place = value, place += tables_.messages_stride;
  }

  void answer(const Job &job, Ps now, Ps returned, Ps applied) {
    const Int rounds = c_.commits_from[job.position + 1] - c_.commits_from[job.position];
    const Int number = window(job);
    decoded += rounds;
    if (c_.drain || applied <= c_.horizon_ps) {
      end_ps = std::max(end_ps, applied);
      if (c_.keep) {
        Int *place = tables_.windows + number;
        const auto put = [&](Int value) { *place = value, place += tables_.windows_stride; };
        put(number), put(job.state->patch), put(job.state->shot);
        put(c_.first_round[job.position]), put(c_.last_round[job.position]);
        for (const Ps stamp : job.stamps) put(stamp);
        put(now), put(returned), put(applied);
        tables_.applied[number] = 1;
      }
    } else {
      late += rounds;
    }
    if (c_.keep) {
      tables_.responses[2 * responses] = number;
      tables_.responses[2 * responses + 1] = returned;
      ++responses;
      finish(now);
    }
  }

  void write_off(const Job &job, Ps now, Cause cause) {
    if (!c_.keep) return;
    const std::array<Int, 4> row{window(job), job.state->patch, job.state->shot, cause};
    std::copy(row.begin(), row.end(), tables_.lost + 4 * lost_windows++);
    finish(now);
  }

 private:
  void finish(Ps now) {
    tables_.done[2 * done] = now;
    tables_.done[2 * done + 1] = decoded + lost[LINK_LOSS] + lost[RING_OVERRUN] + lost[INCOMPLETE];
    ++done;
  }

  const rt_config &c_;
  rt_tables tables_;
};

// The packetiser: emulator/loop/fpga.py. One a port of the link up.
class Packetiser {
 public:
  // `free_edges`: of the input of each patch.
  Packetiser(const rt_config &config, const Clock &clock, std::vector<Edge> &free_edges, Tally &tally)
      : c_(config), clock_(clock), free_edges_(free_edges), tally_(tally) {}

  // Take in a message: the edges at which its first and last beat enter.
  void accept(Transit &transit, Ps earliest) {
    const Ps whole = transit.digitised;
    if (!c_.by_rounds) {
      transit.first = transit.last = clock_.at_or_after(whole);
      return;
    }
    const Int *intake = c_.intake_beats + c_.intake_from[transit.number];
    const Int rounds = c_.intake_from[transit.number + 1] - c_.intake_from[transit.number];
    const Ps first = whole - (rounds - 1) * c_.period_ps;
    if (c_.spaced) {
      transit.first = clock_.at_or_after(first);
      transit.last = plus(clock_.at_or_after(whole), intake[rounds - 1] - 1);
      return;
    }
    Edge &free = free_edges_[at_place(transit.state->patch)];
    transit.first = std::max(clock_.at_or_after(std::max(first, earliest)), free);
    for (Int k = 0; k < rounds; ++k)
      free = plus(std::max(clock_.at_or_after(std::max(first + k * c_.period_ps, earliest)), free),
                  intake[k]);
    transit.last = free - 1;
  }

  // When each packet may start on the line; returns when the first beat came in.
  Ps frame(const Transit &transit, Ps *ready) {
    const Int *beats = c_.packet_beats + c_.packets_from[transit.number];
    const Int *end = c_.packet_beats + c_.packets_from[transit.number + 1];
    if (!c_.by_rounds) return frame_bus(transit, beats, end, ready);
    frame_rounds(transit, beats, end, ready);
    return clock_.edge_ps(transit.first);
  }

 private:
  Ps frame_bus(const Transit &transit, const Int *beats, const Int *end, Ps *ready) {
    const Edge first = std::max(transit.first, line_free_);
    Edge edge = first;
    for (; beats != end; ++beats) {
      const Edge filled = plus(edge, *beats);
      *ready++ = clock_.edge_ps(plus(c_.store_and_forward ? filled - 1 : edge, c_.pipeline));
      edge = filled;
    }
    line_free_ = std::max(edge, plus(first, c_.spacing));
    const Ps start = clock_.edge_ps(first);
    const Ps arrived = first == transit.first ? start : clock_.edge_ps(transit.first);
    tally_.add(arrived, start, clock_.edge_ps(line_free_) - start);
    return arrived;
  }

  void frame_rounds(const Transit &transit, const Int *beats, const Int *end, Ps *ready) {
    const Edge entered = plus(transit.last, c_.pipeline);
    const ShotState &state = *transit.state;
    const Int message = (state.shot * c_.messages + transit.number) * c_.patches + state.patch;
    const Int seen = message * (end - beats);
    Edge edge = std::max(line_free_, entered);
    Ps service = 0;
    for (Int k = 0; beats + k != end; ++k) {
      const Edge first = c_.seen_first ? c_.seen_first[seen + k] : edge;
      edge = c_.seen_first ? plus(c_.seen_last[seen + k], 1) : plus(edge, beats[k]);
      const Ps start = clock_.edge_ps(first), occupied = clock_.edge_ps(edge) - start;
      tally_.occupy(start, occupied);
      service = plus(service, occupied);
      ready[k] = start;
    }
    if (!c_.seen_first) line_free_ = edge;
    tally_.count(clock_.edge_ps(entered), ready[0], service);
  }

  const rt_config &c_;
  const Clock &clock_;
  std::vector<Edge> &free_edges_;
  Tally &tally_;
  Edge line_free_ = 0;
};

// One direction of the link: emulator/loop/link.py.
class Port {
 public:
  Port(const rt_link &link, Tally &tally)
      : link_(link), tally_(tally), hops_free_(at_place(link.hops), 0) {}

  // Send packets that are ready one after the other; `latency` is the message's own.
  Ps send(Int packets, const Ps *ready, const Int *serial, Ps latency) {
    Ps last = 0, service = 0;
    const Ps begin = std::max(free_, ready[0]);
    for (Int k = 0; k < packets; ++k) {
      const Ps start = std::max(free_, ready[k]), time = serial[k];
      last = free_ = plus(start, time);
      tally_.occupy(start, time);
      service = plus(service, time);
      for (Ps &hop : hops_free_) last = hop = plus(std::max(hop, last), time);
    }
    tally_.count(ready[0], begin, service);
    last_delivery_ = std::max(last_delivery_, plus(plus(last, link_.flight_ps), latency));
    return last_delivery_;
  }

 private:
  const rt_link &link_;
  Tally &tally_;
  Ps free_ = 0, last_delivery_ = 0;
  std::vector<Ps> hops_free_;
};

class Loop;

// Server pools: emulator/loop/pool.py. A batch is a chain of jobs.
class WorkerPool {
 public:
  WorkerPool(Loop &loop, const rt_pool &spec, Stage stage, Do finished, Do timed_out);
  void submit(Job &job);
  void start();
  void finish() { --busy_; }
  bool has_queue() const { return !queue_.empty(); }
  Int waiting() const { return static_cast<Int>(queue_.size()); }
  Tally tally;

 private:
  void serve();

  Loop &loop_;
  const rt_pool &spec_;
  Stage stage_;
  Do finished_, timed_out_;
  Int busy_ = 0;
  std::deque<Job *> queue_;
};

// The components of one run, wired together: emulator/loop/engine.py, and the ones named below.
class Loop {
 public:
  Loop(const rt_config &config, const rt_tables &tables);
  Loop(const Loop &) = delete;
  Loop &operator=(const Loop &) = delete;

  Status advance(Int events);
  void feed(Int draws, Int block, const Int *values);
  void fed(Int shots);
  void account(rt_account &found);

  const rt_config c;
  Clock clock;
  Clockwork clockwork;
  Laws laws;
  Ledger ledger;

 private:
  void happen(const Event &event);

  // processor.py
  struct Patch {
    ShotState *state;
    Int next;
    Ps begun;
  };
  void tick(Int patch);
  ShotState *begin(Int patch, Int shot);

  // readout.py
  struct Unframed {
    Edge edge;
    Int patch, count;
    Transit *transit;
    bool operator>(const Unframed &o) const {
      if (edge != o.edge) return edge > o.edge;
      return patch != o.patch ? patch > o.patch : count > o.count;
    }
  };
  void emit(Transit &transit);
  void whole(Edge edge);

  // transmitter.py
  void transmit(Transit &transit);

  // ring.py
  void deliver(Transit &transit);
  void take_slot(Transit &transit);
  void release(Transit &transit);

  // assembly.py
  void dispatched(Transit &transit);
  void lose(Transit &transit, Cause cause);
  void complete(Transit &transit);
  void assemble(Transit &transit, Int position, Int later_rounds);
  void predecoded(Job *batch);
  void one_need_less(Job &job);
  void write_off(Job &job);
  void close(Job &job);
  void retire(ShotState &state);

  // returns.py
  void decoded(Job *batch);
  void answer(Job &job);

  Int port_of(const rt_link &link, Int patch) const { return link.ports == 1 ? 0 : patch; }

  std::vector<Patch> patches_;
  std::deque<ShotState> states_;
  std::vector<ShotState *> spare_;
  std::deque<Int> unclosed_;  // patches of each shot, from first_open_ on, that are not closed
  Int first_open_ = 0;
  Int fed_shots_ = 0;

  std::vector<Ps> last_digitised_;
  std::vector<Unframed> unframed_;
  Int emissions_ = 0;

  Tally packetise_, uplink_, ring_, dispatch_, downlink_;
  std::vector<Edge> free_edges_;
  std::vector<Packetiser> packetisers_;
  std::vector<Port> up_, down_;
  std::vector<Ps> ready_;  // when each packet may start: room for the longest message
  Int sent_ = 0, next_slot_ = 0;

  std::vector<std::uint8_t> slots_;
  std::deque<Transit *> waiting_;
  Ps dispatcher_free_ = 0;
  Int ring_waits_ = 0;

  WorkerPool predecoders_, decoders_;
  std::vector<Edge> received_;
  Int answered_ = 0;
};

WorkerPool::WorkerPool(Loop &loop, const rt_pool &spec, Stage stage, Do finished, Do timed_out)
    : tally(loop.c.horizon_ps, loop.c.drain),
      loop_(loop),
      spec_(spec),
      stage_(stage),
      finished_(finished),
      timed_out_(timed_out) {}

void WorkerPool::submit(Job &job) {
  job.queued = loop_.clockwork.now;
  queue_.push_back(&job);
  if (busy_ < spec_.servers) start();
  if (spec_.timeout_ps && !queue_.empty()) loop_.clockwork.after(spec_.timeout_ps, timed_out_, {0});
}

void WorkerPool::start() {
  while (!queue_.empty() && busy_ < spec_.servers) {
    const Ps age = loop_.clockwork.now - queue_.front()->queued;
    if (spec_.timeout_ps && waiting() < spec_.batch && age < spec_.timeout_ps) return;
    serve();
  }
}

void WorkerPool::serve() {
  const Ps now = loop_.clockwork.now;
  const std::size_t started = stage_ == PREDECODE ? 6 : 8;
  Job *const first = queue_.front();
  Job **end = &first->next;
  Int fill = 1, rounds = loop_.c.reads_rounds[first->position];
  queue_.pop_front();
  for (; fill < spec_.batch && !queue_.empty(); ++fill) {
    Job *const job = queue_.front();
    queue_.pop_front();
    rounds = std::max(rounds, loop_.c.reads_rounds[job->position]);
    *end = job;
    end = &job->next;
  }
  *end = nullptr;
  ++busy_;
  const Ps time =
      loop_.laws(stage_, spec_.service, loop_.ledger.window(*first), busy_, fill, rounds);
  for (Job *job = first; job; job = job->next) {
    tally.add(job->queued, now, job == first ? time : 0);
    job->stamps[started] = now;
  }
  Subject subject;
  subject.job = first;
  loop_.clockwork.after(time, finished_, subject);
}

Subject of(Transit &transit) {
  Subject subject;
  subject.transit = &transit;
  return subject;
}

Loop::Loop(const rt_config &config, const rt_tables &tables)
    : c(config),
      clock(c.clock_edges, c.clock_span_ps),
      clockwork(c.horizon_ps, c.drain, c.patches >= MANY_PATCHES),
      laws(c),
      ledger(c, tables),
      last_digitised_(at_place(c.patches), 0),
      packetise_(c.horizon_ps, c.drain),
      uplink_(c.horizon_ps, c.drain),
      ring_(c.horizon_ps, c.drain),
      dispatch_(c.horizon_ps, c.drain),
      downlink_(c.horizon_ps, c.drain),
      free_edges_(at_place(c.patches), 0),
      packetisers_(at_place(c.up.ports), Packetiser(c, clock, free_edges_, packetise_)),
      up_(at_place(c.up.ports), Port(c.up, uplink_)),
      down_(at_place(c.down.ports), Port(c.down, downlink_)),
      slots_(at_place(c.slots), 0),
      predecoders_(*this, c.predecode, PREDECODE, Do::predecoded, Do::predecode_timeout),
      decoders_(*this, c.decode, DECODE, Do::decoded, Do::decode_timeout),
      received_(at_place(c.down.ports), -c.response_beats) {
  Int packets = c.response_packets;
  for (Int k = 0; k < c.messages; ++k)
    packets = std::max(packets, c.packets_from[k + 1] - c.packets_from[k]);
  ready_.resize(at_place(packets));
  for (Int patch = 0; patch < c.patches; ++patch)
    patches_.push_back(Patch{begin(patch, 0), 0, patch * c.offset_ps});
  for (Int patch = 0; patch < c.patches; ++patch)
    clockwork.at(plus(patch * c.offset_ps, c.message_stop[0] * c.period_ps), Do::tick, {patch});
  if (c.draws == 0) fed_shots_ = c.shots;
}

// Make so many events happen, or fewer where the run ends or numbers have to be drawn.
Status Loop::advance(Int events) {
  for (; events > 0; --events) {
    const Event *const next = clockwork.next();
    if (!next) return DONE;
    if (next->action() == Do::tick &&
        patches_[at_place(next->subject.number)].state->shot >= fed_shots_)
      return HUNGRY;
    happen(clockwork.pop());
  }
  return PAUSED;
}

void Loop::happen(const Event &event) {
  const Subject &subject = event.subject;
  switch (event.action()) {
    case Do::tick:
      return tick(subject.number);
    case Do::transmit:
      return transmit(*subject.transit);
    case Do::whole:
      return whole(subject.number);
    case Do::missed:
      return lose(*subject.transit, LINK_LOSS);
    case Do::delivered:
      return deliver(*subject.transit);
    case Do::dispatched:
      return dispatched(*subject.transit);
    case Do::predecoded:
      return predecoded(subject.job);
    case Do::decoded:
      return decoded(subject.job);
    case Do::predecode_timeout:
      return predecoders_.start();
    case Do::decode_timeout:
      return decoders_.start();
  }
}

void Loop::feed(Int number, Int block, const Int *values) {
  Draws &draws = laws.draws[at_place(number)];
  if (draws.blocks.empty()) draws.first = block;
  if (block != draws.first + static_cast<Int>(draws.blocks.size())) throw Stop{DEFECT};
  draws.blocks.emplace_back(new Int[at_place(BLOCK)]);
  std::copy(values, values + BLOCK, draws.blocks.back().get());
}

// All numbers of the shots below `shots` are there; drop those that no job can ask for any more.
// Jobs are numbered by shot, or in the order in which they are sent, and each is sent, or begins to
// be served, while its shot is open.
void Loop::fed(Int shots) {
  fed_shots_ = shots;
  Int emitting = shots;
  for (const Patch &patch : patches_) emitting = std::min(emitting, patch.state->shot);
  for (Draws &draws : laws.draws) {
    Int needed = sent_;  // up, losses, dispatch
    if (draws.stage == READOUT) needed = emitting * c.messages * c.patches;
    if (draws.stage == PREDECODE || draws.stage == DECODE)
      needed = first_open_ * c.patches * c.windows;
    if (draws.stage == DOWNLINK) needed = answered_;
    const Int size = static_cast<Int>(draws.blocks.size());
    // the last one stays, so that it is known which comes next
    const Int over = std::min((needed >> BLOCK_BITS) - draws.first, size - 1);
    if (over <= 0) continue;
    draws.blocks.erase(draws.blocks.begin(), draws.blocks.begin() + over);
    draws.first += over;
  }
}

void Loop::tick(Int number) {
  Patch &patch = patches_[at_place(number)];
  ledger.emitted += c.message_rounds[patch.next];
  emit(patch.state->transits[at_place(patch.next)]);
  if (++patch.next == c.messages) {
    if (patch.state->shot + 1 == c.shots) return;
    patch.next = 0;
    patch.state = begin(number, patch.state->shot + 1);
    patch.begun = plus(patch.begun, c.shot_period_ps);
  }
  const Ps due = plus(patch.begun, c.message_stop[patch.next] * c.period_ps);
  clockwork.at(due, Do::tick, {number});
}

// Open a shot, in memory that was one's before where there is some.
ShotState *Loop::begin(Int patch, Int shot) {
  ShotState *state = nullptr;
  if (spare_.empty()) {
    state = &states_.emplace_back();
    state->transits.resize(at_place(c.messages));
    state->jobs.resize(at_place(c.windows));
    for (Int k = 0; k < c.messages; ++k) {
      Transit &transit = state->transits[at_place(k)];
      transit.state = state;
      transit.number = k;
      transit.cause = -1;
      transit.holds_slot = false;
    }
    for (Int k = 0; k < c.windows; ++k) {
      state->jobs[at_place(k)].state = state;
      state->jobs[at_place(k)].position = k;
    }
  } else {
    state = spare_.back();
    spare_.pop_back();
  }
  if (state->lost)
    for (Transit &transit : state->transits) transit.cause = -1;
  for (Job &job : state->jobs) job.open = true, job.waits_for = c.waits_for[job.position];
  state->patch = patch;
  state->shot = shot;
  state->open = c.windows;
  state->due = c.messages;
  state->lost = 0;
  ledger.open_rounds += c.commits_from[c.windows];
  if (shot - first_open_ == static_cast<Int>(unclosed_.size())) unclosed_.push_back(c.patches);
  return state;
}

void Loop::emit(Transit &transit) {
  const Int patch = transit.state->patch, shot = transit.state->shot;
  Ps &last = last_digitised_[at_place(patch)];
  const Ps earliest = last;
  const Int message = (shot * c.messages + transit.number) * c.patches + patch;
  transit.emitted = clockwork.now;
  transit.digitised = last =
      std::max(plus(clockwork.now, laws(READOUT, c.readout, message)), earliest);
  packetisers_[at_place(port_of(c.up, patch))].accept(transit, earliest);
  if (c.by_rounds && c.up.ports < c.patches) {
    unframed_.push_back(Unframed{transit.last, patch, ++emissions_, &transit});
    std::push_heap(unframed_.begin(), unframed_.end(), std::greater<>());
    clockwork.at(clock.edge_ps(transit.last), Do::whole, {transit.last}, true);
  } else if (c.readout_constant) {
    transmit(transit);  // arrivals keep the order of emissions
  } else {
    clockwork.at(transit.digitised, Do::transmit, of(transit));
  }
}

void Loop::whole(Edge edge) {
  while (!unframed_.empty() && unframed_.front().edge <= edge) {
    Transit &transit = *unframed_.front().transit;
    std::pop_heap(unframed_.begin(), unframed_.end(), std::greater<>());
    unframed_.pop_back();
    transmit(transit);
  }
}

void Loop::transmit(Transit &transit) {
  transit.index = sent_++;
  transit.slot = next_slot_;
  if (++next_slot_ == c.slots) next_slot_ = 0;
  const std::size_t port = at_place(port_of(c.up, transit.state->patch));
  const Ps taken = packetisers_[port].frame(transit, ready_.data());
  const Int first = c.packets_from[transit.number];
  const Ps delivered = up_[port].send(c.packets_from[transit.number + 1] - first, ready_.data(),
                                      c.up.serial_ps + first,
                                      laws(UPLINK, c.up.latency, transit.index));
  transit.framed = ready_.front();
  transit.delivered = delivered;
  const bool lost = c.losses >= 0 && laws(LOSS, c.losses, transit.index);
  try {  // its number may be dropped by the time it is dispatched
    transit.dispatch_ps = laws(DISPATCH, c.dispatch, transit.index);
  } catch (const Stop &stop) {
    if (stop.status != LAWLESS) throw;
    transit.dispatch_ps = -1;  // which matters only if it is dispatched
  }
  ledger.send(transit, taken, lost);
  clockwork.at(delivered, lost ? Do::missed : Do::delivered, of(transit));
}

void Loop::deliver(Transit &transit) {
  if (waiting_.empty() && !slots_[at_place(transit.slot)]) {
    take_slot(transit);
  } else if (c.waits) {
    ++ring_waits_;
    waiting_.push_back(&transit);
  } else {
    lose(transit, RING_OVERRUN);
  }
}

void Loop::take_slot(Transit &transit) {
  const Ps now = clockwork.now, start = std::max(dispatcher_free_, now);
  slots_[at_place(transit.slot)] = 1;
  transit.holds_slot = true;
  Ps time = transit.dispatch_ps;
  if (time < 0) time = laws(DISPATCH, c.dispatch, transit.index);
  dispatcher_free_ = plus(start, time);
  dispatch_.add(now, start, time);
  transit.slotted = now;
  transit.dispatched = dispatcher_free_;
  clockwork.at(transit.dispatched, Do::dispatched, of(transit));
}

void Loop::release(Transit &transit) {
  if (!transit.holds_slot) return;
  transit.holds_slot = false;
  slots_[at_place(transit.slot)] = 0;
  ring_.add(transit.delivered, transit.slotted, clockwork.now - transit.slotted);
  while (!waiting_.empty() && !slots_[at_place(waiting_.front()->slot)]) {
    Transit &next = *waiting_.front();
    waiting_.pop_front();
    take_slot(next);
  }
}

void Loop::dispatched(Transit &transit) {
  // a message that came into its slot after its window was written off goes at once, too
  if (!c.hold || !transit.state->jobs[at_place(c.committer[transit.number])].open) release(transit);
  complete(transit);
}

void Loop::lose(Transit &transit, Cause cause) {
  transit.cause = cause;
  ++transit.state->lost;
  complete(transit);
}

void Loop::complete(Transit &transit) {
  const Int end = c.completes_from[transit.number + 1];
  for (Int k = c.completes_from[transit.number]; k < end; ++k)
    assemble(transit, c.completes_window[k], c.completes_later[k]);
  --transit.state->due;
  retire(*transit.state);
}

void Loop::assemble(Transit &transit, Int position, Int later_rounds) {
  ShotState &state = *transit.state;
  Job &job = state.jobs[at_place(position)];
  const auto is_lost = [](const Transit &message) { return message.cause >= 0; };
  const auto messages = state.transits.begin();
  if (state.lost && std::any_of(messages + c.needs_first[position],
                                messages + c.needs_stop[position], is_lost))
    return write_off(job);
  const Ps last = transit.dispatched;
  job.stamps = {transit.emitted - later_rounds * c.period_ps,
                transit.digitised,
                transit.framed,
                transit.delivered,
                transit.slotted,
                last,
                last,  // pre-decoded in no time where there is no pre-decoder
                last,
                0};
  if (c.predecodes)
    predecoders_.submit(job);
  else
    one_need_less(job);
}

void Loop::predecoded(Job *batch) {
  predecoders_.finish();
  for (Job *job = batch, *next = nullptr; job; job = next) {
    next = job->next;
    job->stamps[7] = clockwork.now;
    one_need_less(*job);
  }
  if (predecoders_.has_queue()) predecoders_.start();
}

// Decode a window that waits for nothing more.
void Loop::one_need_less(Job &job) {
  if (--job.waits_for == 0) decoders_.submit(job);
}

void Loop::write_off(Job &job) {
  Cause worst = INCOMPLETE;
  for (Int k = c.commits_from[job.position]; k < c.commits_from[job.position + 1]; ++k) {
    const int found = job.state->transits[at_place(c.commits_message[k])].cause;
    const Cause cause = found < 0 ? INCOMPLETE : static_cast<Cause>(found);
    ++ledger.lost[cause];
    worst = std::min(worst, cause);
  }
  ledger.write_off(job, clockwork.now, worst);
  close(job);
}

void Loop::close(Job &job) {
  ShotState &state = *job.state;
  const Int position = job.position;
  job.open = false;
  --state.open;
  ledger.open_rounds -= c.commits_from[position + 1] - c.commits_from[position];
  for (Int k = c.releases_from[position]; k < c.releases_from[position + 1]; ++k)
    release(state.transits[at_place(c.releases_message[k])]);
  for (Int k = c.followers_from[position]; k < c.followers_from[position + 1]; ++k)
    one_need_less(state.jobs[at_place(c.followers_window[k])]);
  if (state.open) return;
  --unclosed_[at_place(state.shot - first_open_)];
  for (; !unclosed_.empty() && unclosed_.front() == 0; ++first_open_) unclosed_.pop_front();
  retire(state);
}

// Give the memory of a shot to another, when no event of it is left.
void Loop::retire(ShotState &state) {
  if (!state.open && !state.due) spare_.push_back(&state);
}

void Loop::decoded(Job *batch) {
  decoders_.finish();
  for (Job *job = batch, *next = nullptr; job; job = next) {
    next = job->next;
    answer(*job);
  }
  if (decoders_.has_queue()) decoders_.start();
}

void Loop::answer(Job &job) {
  const std::size_t port = at_place(port_of(c.down, job.state->patch));
  std::fill_n(ready_.begin(), c.response_packets, clockwork.now);
  const Ps latency = laws(DOWNLINK, c.down.latency, answered_++);
  const Ps returned =
      down_[port].send(c.response_packets, ready_.data(), c.down.serial_ps, latency);
  // the receiver: emulator/loop/fpga.py
  Edge &last = received_[port];
  const Int beats = c.by_rounds ? c.response_beats : 0;
  last = std::max(clock.at_or_after(returned), plus(last, beats));
  const Ps applied = clock.edge_ps(plus(last, c.receive));
  ledger.answer(job, clockwork.now, returned, applied);
  close(job);
}

void Loop::account(rt_account &found) {
  found = {};
  found.emitted = ledger.emitted;
  found.decoded = ledger.decoded;
  found.late = ledger.late;
  found.open_rounds = ledger.open_rounds;
  std::copy(ledger.lost.begin(), ledger.lost.end(), found.lost);
  found.end_ps = ledger.end_ps;
  found.negative_ps = clockwork.negative;
  found.ring_waits = ring_waits_;
  found.messages = ledger.messages;
  found.done = ledger.done;
  found.responses = ledger.responses;
  found.lost_windows = ledger.lost_windows;
  found.waiting[0] = static_cast<Int>(waiting_.size());
  found.waiting[1] = predecoders_.waiting();
  found.waiting[2] = decoders_.waiting();
  Tally ring = ring_;  // slots that are held still are held to the horizon
  for (const ShotState &state : states_)
    for (const Transit &transit : state.transits)
      if (transit.holds_slot)
        ring.add(transit.delivered, transit.slotted, c.horizon_ps - transit.slotted);
  const std::array<const Tally *, 7> tallies{&packetise_,        &uplink_,         &ring,
                                             &dispatch_,         &predecoders_.tally,
                                             &decoders_.tally,   &downlink_};
  for (std::size_t k = 0; k < tallies.size(); ++k) tallies[k]->write(found.tally[k]);
  std::copy(laws.failed.begin(), laws.failed.end(), found.failed);
}

// No exception leaves the library.
template <typename Action>
Int guarded(Action action) {
  try {
    return action();
  } catch (const Stop &stop) {
    return stop.status;
  } catch (const std::bad_alloc &) {
    return NO_MEMORY;
  } catch (...) {
    return DEFECT;
  }
}

}  // namespace

extern "C" {

// Sizes of the structures, by which Python sees that it declares them alike.
Int rt_size(Int which) {
  const std::array<std::size_t, 6> sizes{sizeof(rt_law),    sizeof(rt_link),  sizeof(rt_pool),
                                         sizeof(rt_config), sizeof(rt_tables), sizeof(rt_account)};
  return static_cast<Int>(sizes.at(at_place(which)));
}

// Make a loop. What the configuration points to must stay until it is freed.
Int rt_new(const rt_config *config, const rt_tables *tables, void **loop) {
  return guarded([&]() -> Int {
    *loop = new Loop(*config, *tables);
    return DONE;
  });
}

Int rt_advance(void *loop, Int events) {
  return guarded([&]() -> Int { return static_cast<Loop *>(loop)->advance(events); });
}

// Hand over a block of a sequence of draws; blocks come in order.
Int rt_feed(void *loop, Int draws, Int block, const Int *values) {
  return guarded([&]() -> Int {
    static_cast<Loop *>(loop)->feed(draws, block, values);
    return DONE;
  });
}

// Say that the draws of all shots below `shots` have been handed over.
Int rt_fed(void *loop, Int shots) {
  return guarded([&]() -> Int {
    static_cast<Loop *>(loop)->fed(shots);
    return DONE;
  });
}

Int rt_emitted(void *loop) { return static_cast<Loop *>(loop)->ledger.emitted; }

void rt_account_of(void *loop, rt_account *found) { static_cast<Loop *>(loop)->account(*found); }

void rt_free(void *loop) { delete static_cast<Loop *>(loop); }
}
