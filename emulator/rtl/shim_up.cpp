// SPDX-License-Identifier: Apache-2.0
//
// The way up as a function call: packetiser_up, verilated, behind a C interface for ctypes.
//
// Cycle n is the n-th rising edge of the one clock that drives both sides; a beat has the cycle of
// the edge at which it passes. Cycles in which nothing moves are skipped, which changes nothing:
// the hardware has no state that counts them.

#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "Vpacketiser_up.h"
#include "verilated.h"

namespace {

constexpr int IN_BYTES = IN_W / 8;
constexpr int KEEP_BYTES = DATA_W / 8;
constexpr int OPCODE_OFFSET = 42;
constexpr uint8_t LAST_PACKET = 0x2B;
// Cycles after a beat in, and after a beat out, until all registers are at rest with no message
// inside; and the same where a message was dropped, and so never comes out.
constexpr uint64_t REST_IN = 10, REST_OUT = 2, REST_DROPPED = 65536;

struct Beat {
    uint64_t cycle;
    std::array<uint8_t, IN_BYTES> data;
    uint16_t user;  // bits 12:0 of tuser, bit 15 tlast
};

struct Stall {
    uint64_t begin, end;
};

struct Frame {
    uint64_t bytes, first, last;
};

struct Request {
    uint64_t cycle;
    uint32_t id, patch;
};

// All cfg_* ports, 64 bits each, in the order of the fields in uplink.py.
struct Settings {
    uint64_t message_bits, bytes, sparse, decoder_first, mapping_id, request_first, mode_native,
        bytes_per_window, pkt_len_pages128, host_mac, board_mac, host_ip, board_ip, src_udp_port,
        dst_udp_port, dest_qp, rkey, base_va, buf_increment_pages128, last_buffer, psn, buffer;
};

enum { ROUND_DROPPED, ROUND_SHORT, ROUND_LONG, MESSAGE_LONG, MESSAGE_BAD, MESSAGE_SENT,
       WINDOW_SHORT, WINDOW_LONG, BEAT_DROPPED, STATS };

struct Up {
    VerilatedContext context;
    Vpacketiser_up top{&context};
    uint64_t span_ps, edges;
    bool skip = true;
    uint64_t cycle = 0, rest = 0, quiet = 0, inside = 0, evaluated = 0;
    std::array<std::deque<Beat>, PATCHES> rounds;
    std::deque<Stall> stalls;
    std::vector<uint8_t> bytes;
    std::vector<Frame> frames;
    std::vector<Request> requests;
    Frame frame{0, 0, 0};
    uint64_t stats[STATS] = {};

    void tick() {
        top.clk = top.rd_clk = 1;
        top.eval();
        top.clk = top.rd_clk = 0;
        top.eval();
        ++evaluated;
    }

    void tick(int count) {
        for (int i = 0; i < count; ++i) tick();
    }

    void set_time() {
        const auto ps = static_cast<unsigned __int128>(cycle) * span_ps / edges;
        top.rd_ptp_sec = static_cast<uint32_t>(ps / 1000000000000);
        top.rd_ptp_nsec = static_cast<uint32_t>(ps % 1000000000000 / 1000);
    }

    uint64_t next_beat() const {
        uint64_t next = UINT64_MAX;
        for (const auto& queue : rounds)
            if (!queue.empty() && queue.front().cycle < next) next = queue.front().cycle;
        return next;
    }

    bool offer() {
        uint32_t valid = 0, last = 0;
        for (int p = 0; p < PATCHES; ++p) {
            if (rounds[p].empty() || rounds[p].front().cycle > cycle) continue;
            const Beat& beat = rounds[p].front();
            valid |= 1u << p;
            last |= static_cast<uint32_t>(beat.user >> 15) << p;
            std::memcpy(reinterpret_cast<uint8_t*>(&top.s_axis_tdata) + p * IN_BYTES,
                        beat.data.data(), IN_BYTES);
            put_user(p, beat.user & 0x1FFF);
        }
        top.s_axis_tvalid = valid;
        top.s_axis_tlast = last;
        if (valid) set_time();
        return valid != 0;
    }

    void put_user(int patch, uint32_t user) {
        auto* words = reinterpret_cast<uint32_t*>(&top.s_axis_tuser);
        const int bit = 13 * patch;
        const uint64_t mask = 0x1FFFull << (bit % 32);
        const uint64_t value = static_cast<uint64_t>(user) << (bit % 32);
        words[bit / 32] = (words[bit / 32] & ~static_cast<uint32_t>(mask)) | static_cast<uint32_t>(value);
        if (mask >> 32)
            words[bit / 32 + 1] = (words[bit / 32 + 1] & ~static_cast<uint32_t>(mask >> 32))
                | static_cast<uint32_t>(value >> 32);
    }

    bool stalled() {
        while (!stalls.empty() && stalls.front().end <= cycle) stalls.pop_front();
        return !stalls.empty() && stalls.front().begin <= cycle;
    }

    void tally(int stat, uint32_t pulses) {
        if (pulses) stats[stat] += __builtin_popcount(pulses);
    }

    // What passes at the edge of this cycle; all outputs are registered, so they are known before.
    void take() {
        if (top.m_axis_tvalid && top.m_axis_tready) {
            const auto* data = reinterpret_cast<const uint8_t*>(&top.m_axis_tdata);
            const int count = __builtin_popcountll(top.m_axis_tkeep);
            if (frame.bytes == 0) frame.first = cycle;
            bytes.insert(bytes.end(), data, data + count);
            frame.bytes += count;
            if (top.m_axis_tlast) {
                frame.last = cycle;
                const uint8_t* begin = bytes.data() + bytes.size() - frame.bytes;
                if (begin[OPCODE_OFFSET] == LAST_PACKET) --inside;
                frames.push_back(frame);
                frame.bytes = 0;
            }
        }
        if (top.req_valid) requests.push_back({cycle, top.req_id, top.req_patch});
        tally(ROUND_DROPPED, top.stat_round_dropped);
        tally(ROUND_SHORT, top.stat_round_short);
        tally(ROUND_LONG, top.stat_round_long);
        tally(MESSAGE_LONG, top.stat_message_long);
        tally(MESSAGE_BAD, top.stat_message_bad);
        tally(MESSAGE_SENT, top.stat_message_sent);
        tally(WINDOW_SHORT, top.stat_window_short);
        tally(WINDOW_LONG, top.stat_window_long);
        tally(BEAT_DROPPED, top.stat_beat_dropped);
        for (int p = 0; p < PATCHES; ++p)
            if (top.s_axis_tvalid >> p & top.s_axis_tready >> p & 1) {
                if (rounds[p].front().user >> 12 & rounds[p].front().user >> 15 & 1) ++inside;
                rounds[p].pop_front();
            }
    }

    void run(uint64_t until) {
        while (cycle < until) {
            const bool offered = offer();
            if (skip && !offered && rest == 0 && (inside == 0 || quiet >= REST_DROPPED)) {
                const uint64_t next = next_beat();
                cycle = next < until ? next : until;
                if (next >= until) return;
                continue;
            }
            top.m_axis_tready = !stalled();
            const uint64_t wanted = top.m_axis_tvalid ? REST_OUT : offered ? REST_IN : 0;
            rest = rest > wanted ? rest - 1 : wanted;
            quiet = wanted ? 0 : quiet + 1;
            take();
            tick();
            ++cycle;
        }
    }
};

}  // namespace

extern "C" {

// edges edges of the clock take span_ps picoseconds.
// Without skip every cycle is simulated, and up_run wants an end.
Up* up_new(uint64_t span_ps, uint64_t edges, const Settings* s, uint32_t skip) {
    auto up = std::make_unique<Up>();
    up->skip = skip;
    Vpacketiser_up& top = up->top;
    up->span_ps = span_ps;
    up->edges = edges;
    top.cfg_message_bits = s->message_bits;
    top.cfg_bytes = s->bytes;
    top.cfg_sparse = s->sparse;
    top.cfg_decoder_first = s->decoder_first;
    top.cfg_mapping_id = s->mapping_id;
    top.cfg_request_first = s->request_first;
    top.cfg_mode_native = s->mode_native;
    top.cfg_bytes_per_window = s->bytes_per_window;
    top.cfg_pkt_len_pages128 = s->pkt_len_pages128;
    top.cfg_host_mac = s->host_mac;
    top.cfg_board_mac = s->board_mac;
    top.cfg_host_ip = s->host_ip;
    top.cfg_board_ip = s->board_ip;
    top.cfg_src_udp_port = s->src_udp_port;
    top.cfg_dst_udp_port = s->dst_udp_port;
    top.cfg_dest_qp = s->dest_qp;
    top.cfg_rkey = s->rkey;
    top.cfg_base_va = s->base_va;
    top.cfg_buf_increment_pages128 = s->buf_increment_pages128;
    top.cfg_last_buffer = s->last_buffer;
    top.cfg_psn = s->psn;
    top.cfg_buffer = s->buffer;
    top.rst = top.rd_rst = 1;
    up->tick(8);
    top.rst = top.rd_rst = 0;
    top.cfg_psn_load = top.cfg_buffer_load = 1;
    up->tick(1);
    top.cfg_psn_load = top.cfg_buffer_load = 0;
    up->tick(32);  // settings count 20 cycles later
    return up.release();
}

void up_free(Up* up) { delete up; }

// Beats of one patch in order, each offered from its cycle on; data IN_W / 8 bytes a beat.
void up_push(Up* up, uint32_t patch, uint64_t count, const uint64_t* cycles, const uint8_t* data,
             const uint16_t* user) {
    for (uint64_t i = 0; i < count; ++i) {
        Beat beat{cycles[i], {}, user[i]};
        std::memcpy(beat.data.data(), data + i * IN_BYTES, IN_BYTES);
        up->rounds[patch].push_back(beat);
    }
}

// m_axis_tready is low in cycles begin to end - 1; stalls in order.
void up_stall(Up* up, uint64_t begin, uint64_t end) { up->stalls.push_back({begin, end}); }

void up_run(Up* up, uint64_t until) { up->run(until); }

void up_counts(const Up* up, uint64_t* frames, uint64_t* bytes, uint64_t* requests,
               uint64_t* evaluated, uint64_t* stats) {
    *frames = up->frames.size();
    *bytes = up->bytes.size() - up->frame.bytes;
    *requests = up->requests.size();
    *evaluated = up->evaluated;
    std::memcpy(stats, up->stats, sizeof up->stats);
}

// Hands over what has come out since the last call: frames as (bytes, first, last cycle).
void up_take(Up* up, uint64_t* frames, uint8_t* bytes, uint64_t* cycles, uint32_t* ids,
             uint32_t* patches) {
    const size_t whole = up->bytes.size() - up->frame.bytes;
    std::memcpy(frames, up->frames.data(), up->frames.size() * sizeof(Frame));
    std::memcpy(bytes, up->bytes.data(), whole);
    for (const Request& request : up->requests) {
        *cycles++ = request.cycle;
        *ids++ = request.id;
        *patches++ = request.patch;
    }
    up->bytes.erase(up->bytes.begin(), up->bytes.begin() + whole);
    up->frames.clear();
    up->requests.clear();
}

}  // extern "C"
