// SPDX-License-Identifier: Apache-2.0
//
// The way down as a function call: packetiser_down, verilated, behind a C interface for ctypes.
// Cycles are counted and skipped as in shim_up.cpp. cfg_deadline is out of reach: skipped cycles
// would not count, and what is late is decided by the emulator.

#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "Vpacketiser_down.h"
#include "verilated.h"

namespace {

constexpr int KEEP_BYTES = DATA_W / 8;
constexpr int CORR_BYTES = CORR_W / 8;
// Cycles after the last beat of a frame until all registers are at rest. A request needs none: it is
// entered in the cycles that are simulated next, before any response can be held against it.
constexpr uint64_t REST = 16;

struct Frame {
    uint64_t first;  // earliest cycle of its first beat
    std::vector<uint8_t> bytes;
};

struct Request {
    uint64_t cycle;
    uint32_t id, patch;
};

struct Correction {
    uint64_t cycle, ptp;
    uint32_t id, patch, bytes, late;
};

enum { ON_TIME, LATE, BAD_STATUS, DUPLICATE, UNKNOWN, BAD_RESPONSE, BAD_MAGIC, MISSING, DISPLACED,
       LOST, ACCEPTED, DROPPED, STATS };

struct Down {
    VerilatedContext context;
    Vpacketiser_down top{&context};
    uint64_t cycle = 0, rest = 0, evaluated = 0;
    std::deque<Frame> frames;
    std::deque<Request> requests;
    size_t sent = 0;  // bytes of the first frame
    std::vector<Correction> corrections;
    std::vector<uint8_t> bits;
    uint64_t stats[STATS] = {};

    void tick() {
        top.clk = top.rd_clk = 1;
        top.eval();
        top.clk = top.rd_clk = 0;
        top.eval();
        ++evaluated;
    }

    bool offer_frame() {
        top.s_axis_tvalid = !frames.empty() && (sent || frames.front().first <= cycle);
        if (!top.s_axis_tvalid) return false;
        const std::vector<uint8_t>& bytes = frames.front().bytes;
        const size_t left = bytes.size() - sent;
        const size_t count = left < KEEP_BYTES ? left : KEEP_BYTES;
        std::memcpy(&top.s_axis_tdata, bytes.data() + sent, count);
        const uint64_t keep = count == 64 ? UINT64_MAX : (1ull << count) - 1;
        std::memcpy(&top.s_axis_tkeep, &keep, sizeof top.s_axis_tkeep);
        top.s_axis_tlast = left <= KEEP_BYTES;
        return true;
    }

    bool offer_request() {
        top.req_valid = !requests.empty() && requests.front().cycle <= cycle;
        if (!top.req_valid) return false;
        top.req_id = requests.front().id;
        top.req_patch = requests.front().patch;
        requests.pop_front();
        return true;
    }

    void take() {
        if (top.m_corr_valid) {
            const auto* data = reinterpret_cast<const uint8_t*>(&top.m_corr_bits);
            corrections.push_back({cycle, top.m_corr_ptp, top.m_corr_id, top.m_corr_patch,
                                   top.m_corr_bytes, top.m_corr_late});
            bits.insert(bits.end(), data, data + CORR_BYTES);
        }
        stats[ON_TIME] += top.stat_on_time;
        stats[LATE] += top.stat_late;
        stats[BAD_STATUS] += top.stat_bad_status;
        stats[DUPLICATE] += top.stat_duplicate;
        stats[UNKNOWN] += top.stat_unknown;
        stats[BAD_RESPONSE] += top.stat_bad_response;
        stats[BAD_MAGIC] += top.stat_bad_magic;
        stats[MISSING] += top.stat_missing;
        stats[DISPLACED] += top.stat_displaced;
        stats[LOST] += top.stat_correction_lost;
        stats[ACCEPTED] += top.stat_accepted;
        stats[DROPPED] += top.stat_mac_error + top.stat_truncated + top.stat_oversize
            + top.stat_not_roce + top.stat_bad_checksum + top.stat_foreign_address
            + top.stat_foreign_qp + top.stat_bad_opcode + top.stat_bad_length + top.stat_bad_icrc;
        if (top.s_axis_tvalid && top.s_axis_tready) {
            sent += KEEP_BYTES;
            if (top.s_axis_tlast) {
                frames.pop_front();
                sent = 0;
            }
        }
    }

    void run(uint64_t until) {
        while (cycle < until) {
            const bool frame = offer_frame();
            const bool request = offer_request();
            if (!frame && !request && rest == 0) {
                uint64_t next = until;
                if (!frames.empty() && frames.front().first < next) next = frames.front().first;
                if (!requests.empty() && requests.front().cycle < next) next = requests.front().cycle;
                if (next == until) {
                    cycle = until;
                    return;
                }
                cycle = next;
                continue;
            }
            rest = frame ? REST : rest ? rest - 1 : 0;
            take();
            tick();
            ++cycle;
        }
    }
};

}  // namespace

extern "C" {

Down* down_new(uint64_t mac, uint32_t ip, uint32_t qp) {
    auto down = std::make_unique<Down>();
    Vpacketiser_down& top = down->top;
    top.cfg_mac = mac;
    top.cfg_ip = ip;
    top.cfg_qp = qp;
    top.cfg_deadline = UINT32_MAX;
    top.m_corr_ready = 1;
    top.rst = top.rd_rst = 1;
    for (int i = 0; i < 8; ++i) down->tick();
    top.rst = top.rd_rst = 0;
    for (int i = 0; i < 32; ++i) down->tick();
    return down.release();
}

void down_free(Down* down) { delete down; }

void down_request(Down* down, uint64_t count, const uint64_t* cycles, const uint32_t* ids,
                  const uint32_t* patches) {
    for (uint64_t i = 0; i < count; ++i)
        down->requests.push_back({cycles[i], ids[i], patches[i]});
}

// Frames one after the other, each with the cycle in which its last beat has arrived: its beats
// come in the cycles before that, or as soon as the frame before it is in.
void down_push(Down* down, uint64_t count, const uint64_t* arrived, const uint64_t* sizes,
               const uint8_t* bytes) {
    for (uint64_t i = 0; i < count; ++i) {
        const uint64_t beats = (sizes[i] + KEEP_BYTES - 1) / KEEP_BYTES;
        const uint64_t first = arrived[i] + 1 > beats ? arrived[i] + 1 - beats : 0;
        down->frames.push_back({first, std::vector<uint8_t>(bytes, bytes + sizes[i])});
        bytes += sizes[i];
    }
}

void down_run(Down* down, uint64_t until) { down->run(until); }

void down_counts(const Down* down, uint64_t* corrections, uint64_t* evaluated, uint64_t* stats) {
    *corrections = down->corrections.size();
    *evaluated = down->evaluated;
    std::memcpy(stats, down->stats, sizeof down->stats);
}

void down_take(Down* down, Correction* corrections, uint8_t* bits) {
    std::memcpy(corrections, down->corrections.data(),
                down->corrections.size() * sizeof(Correction));
    std::memcpy(bits, down->bits.data(), down->bits.size());
    down->corrections.clear();
    down->bits.clear();
}

}  // extern "C"
