-- SPDX-License-Identifier: Apache-2.0
--
-- Wireshark dissector of CUDA-Q Realtime calls in the payload of RoCEv2 packets: requests with
-- their syndromes, responses with their results.
--
--     wireshark -X lua_script:hdl/wireshark/roundtrip.lua CAPTURE
--
-- It finds a message by its magic, at the start of a payload. A window that takes several packets
-- has its header in the first one; roundtrip.missing counts the bytes that follow in the others,
-- which are not taken apart. Every syndrome bit that is 1 is an item roundtrip.bit, its number in
-- the message, in all three forms: eight to a byte, a byte each, or 16-bit indices.
--
-- Needs Wireshark 3.0 or later. Formats: NVIDIA/cuda-quantum, realtime/docs/
-- cudaq_realtime_message_protocol.md; NVIDIA/cudaqx, decoder_rpc_wire_format.h.

-- Tables written by python -m hdl.generate: begin
local LAYOUTS = {
    { name = "request", size = 24,
        { name = "magic", offset = 0, size = 4, default = 0x43555152 },
        { name = "function_id", offset = 4, size = 4 },
        { name = "arg_len", offset = 8, size = 4 },
        { name = "request_id", offset = 12, size = 4 },
        { name = "ptp_timestamp", offset = 16, size = 8 },
    },
    { name = "response", size = 24,
        { name = "magic", offset = 0, size = 4, default = 0x43555153 },
        { name = "status", offset = 4, size = 4, signed = true },
        { name = "result_len", offset = 8, size = 4 },
        { name = "request_id", offset = 12, size = 4 },
        { name = "ptp_timestamp", offset = 16, size = 8 },
    },
    { name = "enqueue", size = 32,
        { name = "decoder_id", offset = 0, size = 8, signed = true },
        { name = "counter", offset = 8, size = 8, signed = true },
        { name = "syndrome_mapping_id", offset = 16, size = 8, signed = true },
        { name = "num_syndromes", offset = 24, size = 8, signed = true },
    },
    { name = "get_corrections", size = 17,
        { name = "decoder_id", offset = 0, size = 8, signed = true },
        { name = "return_size", offset = 8, size = 8, signed = true },
        { name = "reset", offset = 16, size = 1 },
    },
    { name = "reset_decoder", size = 8,
        { name = "decoder_id", offset = 0, size = 8, signed = true },
    },
}
local FUNCTIONS = {
    [0x7ed8be82] = "enqueue_syndromes",
    [0x4e74226b] = "enqueue_syndromes_sparse",
    [0x882d5ba1] = "get_corrections",
    [0x977a59cf] = "reset_decoder",
    [0xead9e510] = "predecode",
    [0x6c45a6d6] = "mock_decode",
}
local STATUS = {
    [0] = "OK",
    [1] = "INVALID_DECODER",
    [2] = "BAD_REQUEST",
    [3] = "INTERNAL_ERROR",
    [4] = "NOT_READY",
    [5] = "BUSY",
    [6] = "SYNDROMES_DROPPED",
}
-- Tables written by python -m hdl.generate: end

local roundtrip = Proto("roundtrip", "CUDA-Q Realtime RPC")

local FORMATS = {
    magic = { base.HEX },
    function_id = { base.HEX, FUNCTIONS },
    status = { base.DEC, STATUS },
    ptp_timestamp = { base.HEX },
}
local OTHERS = {
    syndromes = ProtoField.bytes("roundtrip.syndromes", "syndromes"),
    bit = ProtoField.uint32("roundtrip.bit", "bit set"),
    bits_set = ProtoField.uint32("roundtrip.bits_set", "bits set in this packet"),
    arguments = ProtoField.bytes("roundtrip.arguments", "arguments"),
    result = ProtoField.bytes("roundtrip.result", "result"),
    missing = ProtoField.uint32("roundtrip.missing", "bytes in the packets that follow"),
}
local MALFORMED = ProtoExpert.new(
    "roundtrip.malformed", "the message is not as its call has it",
    expert.group.MALFORMED, expert.severity.ERROR)

local registered = {}
for _, layout in ipairs(LAYOUTS) do
    for _, field in ipairs(layout) do
        local kind = (field.signed and "int" or "uint") .. 8 * field.size
        local format = FORMATS[field.name] or { base.DEC }
        local filter = "roundtrip." .. layout.name .. "." .. field.name
        field.proto = ProtoField[kind](filter, field.name, format[1], format[2])
        registered[#registered + 1] = field.proto
        layout[field.name] = field
    end
    LAYOUTS[layout.name] = layout
end
for _, field in pairs(OTHERS) do
    registered[#registered + 1] = field
end
roundtrip.fields = registered
roundtrip.experts = { MALFORMED }

local function range_of(layout, name, tvb)
    local field = layout[name]
    return tvb(field.offset, field.size)
end

-- Add the fields that are there; whether all are.
local function add_layout(tree, layout, tvb)
    for _, field in ipairs(layout) do
        if field.offset + field.size > tvb:len() then
            return false
        end
        tree:add_le(field.proto, range_of(layout, field.name, tvb))
    end
    return true
end

local function malformed(tree, why)
    tree:add_proto_expert_info(MALFORMED, why)
end

-- What follows; nil for nothing, which has no range.
local function rest_of(tvb, offset)
    return offset < tvb:len() and tvb(offset) or nil
end

local function add_set(tree, set, count)
    tree:add(OTHERS.bits_set, set):set_generated()
    return string.format("%d of %s bits set", set, count)
end

local function add_packed(tree, range, count)
    local set = 0
    local list = tree:add(OTHERS.syndromes, range)
    for place = 0, range:len() - 1 do
        local byte, bit = range(place, 1):uint(), 8 * place
        while byte > 0 do
            if byte % 2 == 1 and bit < count then
                list:add(OTHERS.bit, range(place, 1), bit)
                set = set + 1
            end
            byte, bit = math.floor(byte / 2), bit + 1
        end
    end
    return set
end

local function add_indices(tree, range, count)
    local set = 0
    local list = tree:add(OTHERS.syndromes, range)
    for place = 0, range:len() - 2, 2 do
        local index = range(place, 2)
        list:add_le(OTHERS.bit, index)
        if index:le_uint() >= count then
            malformed(list, "an index is not below num_syndromes")
        end
        set = set + 1
    end
    return set
end

-- Arguments by function: (tree, arguments in this packet, arg_len); what to say of them.
local calls = {}

local function enqueue(add_bits, is_length)
    return function(tree, body, arg_len)
        local layout = LAYOUTS.enqueue
        if not add_layout(tree, layout, body) then
            if arg_len < layout.size then
                malformed(tree, "arg_len is too short for syndromes")
            end
            return ""
        end
        local num_syndromes = range_of(layout, "num_syndromes", body):le_int64()
        local count = num_syndromes:tonumber()
        if not is_length(arg_len - layout.size, count) then
            malformed(tree, "arg_len does not suit num_syndromes")
        end
        local range = rest_of(body, layout.size)
        local set = range and add_bits(tree, range, count) or 0
        return add_set(tree, set, tostring(num_syndromes))
    end
end

calls.enqueue_syndromes = enqueue(add_packed, function(bytes, count)
    return count >= 0 and bytes == math.floor((count + 7) / 8)
end)

calls.enqueue_syndromes_sparse = enqueue(add_indices, function(bytes, count)
    return bytes % 2 == 0 and bytes / 2 <= count
end)

function calls.get_corrections(tree, body, arg_len)
    add_layout(tree, LAYOUTS.get_corrections, body)
    if arg_len ~= LAYOUTS.get_corrections.size then
        malformed(tree, "arg_len is not that of get_corrections")
    end
    return ""
end

function calls.reset_decoder(tree, body, arg_len)
    add_layout(tree, LAYOUTS.reset_decoder, body)
    if arg_len ~= LAYOUTS.reset_decoder.size then
        malformed(tree, "arg_len is not that of reset_decoder")
    end
    return ""
end

function calls.predecode(tree, body, arg_len)
    local set, range = 0, rest_of(body, 0)
    local list = range and tree:add(OTHERS.syndromes, range)
    for place = 0, body:len() - 1 do
        local byte = body(place, 1):uint()
        if byte == 1 then
            list:add(OTHERS.bit, body(place, 1), place)
            set = set + 1
        elseif byte > 1 then
            malformed(list, "a detector is neither 0 nor 1")
        end
    end
    return add_set(tree, set, string.format("%d", arg_len))
end

calls.mock_decode = calls.predecode

-- Tree of the message at the start of a payload, what of its body is in the packet, its length.
local function add_message(tvb, tree, layout, length_name)
    local length = range_of(layout, length_name, tvb):le_uint()
    local present = math.min(length, tvb:len() - layout.size)
    local branch = tree:add(roundtrip, tvb(0, layout.size + present))
    add_layout(branch, layout, tvb)
    if present < length then
        branch:add(OTHERS.missing, length - present):set_generated()
    end
    return branch, tvb(layout.size, present), length
end

local function dissect_request(tvb, tree)
    local layout = LAYOUTS.request
    local branch, body, arg_len = add_message(tvb, tree, layout, "arg_len")
    local name = FUNCTIONS[range_of(layout, "function_id", tvb):le_uint()]
    local said = ""
    if calls[name] then
        said = calls[name](branch, body, arg_len)
    elseif body:len() > 0 then
        branch:add(OTHERS.arguments, body)
    end
    if body:len() < arg_len then
        said = said .. ", the rest follows"
    end
    return branch, (name or "unknown function") .. " request", said
end

local function dissect_response(tvb, tree)
    local layout = LAYOUTS.response
    local branch, body, result_len = add_message(tvb, tree, layout, "result_len")
    local status = range_of(layout, "status", tvb):le_int()
    if body:len() > 0 then
        branch:add(OTHERS.result, body)
    end
    local said = string.format("%s, %d bytes", STATUS[status] or status, result_len)
    return branch, "response", said
end

local dissectors = {
    [LAYOUTS.request.magic.default] = { LAYOUTS.request, dissect_request },
    [LAYOUTS.response.magic.default] = { LAYOUTS.response, dissect_response },
}

local function dissect(tvb, pinfo, tree)
    if tvb:len() < LAYOUTS.request.size then
        return false
    end
    local entry = dissectors[range_of(LAYOUTS.request, "magic", tvb):le_uint()]
    if not entry or tvb:len() < entry[1].size then
        return false
    end
    local branch, what, said = entry[2](tvb, tree)
    local request_id = range_of(entry[1], "request_id", tvb):le_uint()
    local line = string.format("%s %d%s%s", what, request_id, said == "" and "" or ": ", said)
    branch:append_text(", " .. line)
    pinfo.cols.protocol = "CUDA-Q RPC"
    pinfo.cols.info = line
    return true
end

roundtrip:register_heuristic("infiniband.payload", dissect)
