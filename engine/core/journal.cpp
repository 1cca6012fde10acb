// A journal is the sequence of calls made on an Engine, with the frames as they lay in the ring and the instants as they were given. The engine reads no clock
// and no file, so the same calls give the same answers: replay_journal() rebuilds the field's run on any machine, and its transcript
// can be compared with the one taken live.
//
// Layout, big-endian: magic "VIGILJNL", version u16, time of Engine::make i64, batch capacities 3 x u32, specification
// (spec_codec.h); then records of type u8, zero u8, payload length u16, instant i64, payload. A successor's payload is longer than its length can say: the
// length is 0, and a specification and its predecessors (number u32, then u32 each) follow.
//
// The fast thread writes into a ring in memory, the control thread carries it to a file. Neither waits for the other; what is lost
// is said.

#include "engine/core/journal.h"

#include <algorithm>
#include <bit>
#include <memory>

#include "engine/core/spec_codec.h"
#include "engine/core/transcript.h"
#include "packet/bytes.h"

namespace vigil::engine {
namespace {

enum class RecordType : std::uint8_t { frame = 1, time = 2, command = 3, transmit_error = 4, cleared = 5, gap = 6, successor = 7, adopted = 8 };

constexpr std::array<std::uint8_t, 8> magic{'V', 'I', 'G', 'I', 'L', 'J', 'N', 'L'};
constexpr std::uint16_t format_version = spec_version;
constexpr std::uint16_t first_version = 2;         // the oldest that is still read
constexpr std::size_t header_size = 12;
constexpr std::size_t command_size = 25;
constexpr std::size_t digest_size = 16;
constexpr std::size_t largest_capacity = 1u << 22;
constexpr Instant latest_instant{4'000'000'000'000'000'000};  // 126 years

std::array<std::uint8_t, header_size> make_header(std::uint8_t type, Instant at, std::size_t payload_size) {
    std::array<std::uint8_t, header_size> header{};
    packet::ByteWriter writer(header);
    writer.u8(type);
    writer.u8(0);
    writer.u16(static_cast<std::uint16_t>(payload_size));
    writer.u32(static_cast<std::uint32_t>(static_cast<std::uint64_t>(at.ns) >> 32));
    writer.u32(static_cast<std::uint32_t>(at.ns));
    return header;
}

Instant read_instant(packet::ByteReader& reader) {
    const std::uint64_t high = reader.u32();
    return {static_cast<std::int64_t>(high << 32 | reader.u32())};
}

/// Instants far outside any uptime would overflow in the engine's arithmetic.
bool is_sane(Instant at) { return at >= Instant{0} && at <= latest_instant; }

std::array<std::uint8_t, command_size> write_command(const Command& command) {
    std::array<std::uint8_t, command_size> bytes{};
    packet::ByteWriter writer(bytes);
    writer.u8(static_cast<std::uint8_t>(command.kind));
    writer.u8(static_cast<std::uint8_t>(command.fault));
    writer.u8(command.value);
    writer.u16(static_cast<std::uint16_t>(command.link));
    writer.u32(static_cast<std::uint32_t>(command.router));
    writer.bytes(command.address);
    return bytes;
}

std::optional<Command> read_command(packet::Bytes bytes) {
    packet::ByteReader reader(bytes);
    Command command;
    const std::uint8_t kind = reader.u8();
    if (kind > static_cast<std::uint8_t>(Command::Kind::set_wall_clock)) return std::nullopt;
    command.kind = Command::Kind{kind};
    command.fault = Fault{reader.u8()};
    command.value = reader.u8();
    command.link = LinkIndex{reader.u16()};
    command.router = RouterIndex{reader.u32()};
    const auto address = reader.take(command.address.size());
    std::copy(address.begin(), address.end(), command.address.begin());
    if (reader.has_failed()) return std::nullopt;
    return command;
}

/// FNV-1a, 64 bits: no protection, only a fingerprint of everything that a batch sends, in order.
std::uint64_t digest_of(const TxBatch& batch) {
    std::uint64_t digest = 0xcbf29ce484222325u;
    const auto add = [&digest](std::uint8_t octet) { digest = (digest ^ octet) * 0x100000001b3u; };
    for (const auto& lane : {batch.urgent(), batch.paced()}) {
        for (const TxFrame& frame : lane) {
            add(static_cast<std::uint8_t>(frame.path));
            add(static_cast<std::uint8_t>(to_number(frame.link)));
            for (const std::uint8_t octet : frame.bytes()) add(octet);
        }
    }
    return digest;
}

std::array<std::uint8_t, digest_size> write_digest(const TxBatch& batch) {
    std::array<std::uint8_t, digest_size> bytes{};
    packet::ByteWriter writer(bytes);
    writer.u32(static_cast<std::uint32_t>(batch.urgent().size()));
    writer.u32(static_cast<std::uint32_t>(batch.paced().size()));
    const std::uint64_t digest = digest_of(batch);
    writer.u32(static_cast<std::uint32_t>(digest >> 32));
    writer.u32(static_cast<std::uint32_t>(digest));
    return bytes;
}

std::vector<std::string> names_of(const EngineSpec& spec) {
    std::vector<std::string> names;
    for (const RouterSpec& router : spec.routers) names.push_back(router.name);
    return names;
}

/// Plays the calls and writes down what comes out.
class Player {
public:
    Player(Engine engine, const BatchCapacity& capacity, Transcript transcript, std::uint16_t version)
        : engine_(std::move(engine)), tx_(capacity.urgent, capacity.paced, capacity.scratch_bytes), transcript_(std::move(transcript)),
          version_(version) {}

    /// Why the replay has to end at this record, if it has.
    std::optional<JournalError> play(RecordType type, Instant at, packet::Bytes payload) {
        packet::ByteReader reader(payload);
        if (!is_sane(at)) return JournalError::bad_record;
        last_ = at = std::max(at, last_);
        switch (type) {
        case RecordType::frame: {
            RxFrame frame;
            frame.link = LinkIndex{reader.u16()};
            frame.is_truncated = reader.u8() != 0;
            frame.arrival = read_instant(reader);
            frame.bytes = reader.rest();
            if (reader.has_failed() || !is_sane(frame.arrival)) return JournalError::bad_record;
            engine_.on_frames(std::span(&frame, 1), tx_);
            break;
        }
        case RecordType::time: engine_.on_time(at, tx_); break;
        case RecordType::command: {
            const auto command = read_command(payload);
            if (!command) return JournalError::bad_record;
            engine_.on_command(*command, at, tx_);
            break;
        }
        case RecordType::transmit_error: {
            const RouterIndex router{reader.u32()};
            engine_.on_transmit_error(router, static_cast<int>(reader.u32()), at);
            if (reader.has_failed()) return JournalError::bad_record;
            break;
        }
        case RecordType::cleared: return clear(payload);
        case RecordType::gap: return JournalError::gap;
        case RecordType::adopted: return adopt(at);
        case RecordType::successor: return JournalError::bad_record;   // prepare() plays it
        }
        take_events();
        return std::nullopt;
    }

    /// A successor, whose length only its reading tells.
    std::optional<JournalError> prepare(packet::ByteReader& reader, Instant at) {
        const auto spec = read_spec(reader, version_);
        if (!spec || !is_sane(at)) return JournalError::bad_record;
        const std::uint32_t count = reader.u32();
        if (count != spec->routers.size()) return JournalError::bad_record;
        predecessors_.clear();
        for (std::uint32_t i = 0; i < count; ++i) predecessors_.push_back(RouterIndex{reader.u32()});
        if (reader.has_failed()) return JournalError::truncated;
        // It was made while the old engine ran on, in some tenths of a second at most.
        auto engine = Engine::make(*spec, std::max(at, last_ - std::chrono::seconds{10}));
        if (!engine) return JournalError::engine_refused;
        successor_ = std::make_unique<Engine>(std::move(*engine));
        names_ = names_of(*spec);
        return std::nullopt;
    }

    std::size_t batches() const { return batches_; }
    std::string finish() { return transcript_.finish(); }

private:
    std::optional<JournalError> adopt(Instant at) {
        if (!successor_) return JournalError::bad_record;
        take_events();
        successor_->adopt(engine_, predecessors_, at);
        engine_ = std::move(*successor_);
        successor_.reset();
        transcript_.rename(std::move(names_));
        transcript_.note(at, "configuration changed");
        return std::nullopt;
    }

    std::optional<JournalError> clear(packet::Bytes live_digest) {
        if (live_digest.size() != digest_size) return JournalError::bad_record;
        for (const TxFrame& frame : tx_.urgent()) transcript_.sent(last_, frame);
        for (const TxFrame& frame : tx_.paced()) transcript_.sent(last_, frame);
        const bool is_equal = std::ranges::equal(live_digest, write_digest(tx_));
        tx_.clear();
        if (!is_equal) return JournalError::diverged;
        ++batches_;
        return std::nullopt;
    }

    void take_events() {
        std::array<Event, 64> events;
        for (std::size_t count; (count = engine_.take_events(events)) != 0;) {
            for (const Event& event : std::span(events).first(count)) {
                transcript_.event(event, engine_.router(event.router));
            }
        }
    }

    Engine engine_;
    std::unique_ptr<Engine> successor_;
    std::vector<RouterIndex> predecessors_;   // of successor_
    std::vector<std::string> names_;          // of its routers
    TxBatch tx_;
    Transcript transcript_;
    std::uint16_t version_;
    Instant last_{};
    std::size_t batches_ = 0;
};

}  // namespace

JournalRing::JournalRing(std::size_t bytes) : bytes_(std::bit_ceil(bytes)), mask_(bytes_.size() - 1) {}

bool JournalRing::write(std::span<const std::uint8_t> header, std::span<const std::uint8_t> payload) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    const std::size_t used = tail - head_.load(std::memory_order_acquire);
    if (bytes_.size() - used < header.size() + payload.size()) return false;
    put(tail, header);
    put(tail + header.size(), payload);
    tail_.store(tail + header.size() + payload.size(), std::memory_order_release);
    return true;
}

std::size_t JournalRing::read(std::span<std::uint8_t> out) {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    const std::size_t count = std::min(out.size(), tail_.load(std::memory_order_acquire) - head);
    const std::size_t first = std::min(count, bytes_.size() - (head & mask_));
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(head & mask_), first, out.begin());
    std::copy_n(bytes_.begin(), count - first, out.begin() + static_cast<std::ptrdiff_t>(first));
    head_.store(head + count, std::memory_order_release);
    return count;
}

void JournalRing::put(std::size_t position, std::span<const std::uint8_t> bytes) {
    const std::size_t place = position & mask_;
    const std::size_t first = std::min(bytes.size(), bytes_.size() - place);
    std::copy_n(bytes.begin(), first, bytes_.begin() + static_cast<std::ptrdiff_t>(place));
    std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(first), bytes.end(), bytes_.begin());
}

void Journal::frames(std::span<const RxFrame> handled) {
    std::array<std::uint8_t, header_size + 11> head;
    for (const RxFrame& frame : handled) {
        const std::size_t size = std::min<std::size_t>(frame.bytes.size(), 0xffff - 11);
        packet::ByteWriter writer(head);
        writer.bytes(make_header(static_cast<std::uint8_t>(RecordType::frame), frame.arrival, size + 11));
        writer.u16(static_cast<std::uint16_t>(frame.link));
        writer.u8(frame.is_truncated ? 1 : 0);
        writer.u32(static_cast<std::uint32_t>(static_cast<std::uint64_t>(frame.arrival.ns) >> 32));
        writer.u32(static_cast<std::uint32_t>(frame.arrival.ns));
        if (lost_ != 0 || !ring_.write(head, frame.bytes.first(size))) ++lost_;  // nothing may stand behind a hole without a gap record
    }
}

void Journal::time(Instant now) { append(static_cast<std::uint8_t>(RecordType::time), now, {}); }

void Journal::command(const Command& command, Instant now) {
    append(static_cast<std::uint8_t>(RecordType::command), now, write_command(command));
}

void Journal::transmit_error(RouterIndex router, int error_number, Instant now) {
    std::array<std::uint8_t, 8> payload{};
    packet::ByteWriter writer(payload);
    writer.u32(static_cast<std::uint32_t>(router));
    writer.u32(static_cast<std::uint32_t>(error_number));
    append(static_cast<std::uint8_t>(RecordType::transmit_error), now, payload);
}

void Journal::adopted(Instant now) { append(static_cast<std::uint8_t>(RecordType::adopted), now, {}); }

void Journal::cleared(const TxBatch& sent) { append(static_cast<std::uint8_t>(RecordType::cleared), {}, write_digest(sent)); }

void Journal::append(std::uint8_t type, Instant at, std::span<const std::uint8_t> payload) {
    if (lost_ != 0) {
        std::array<std::uint8_t, 4> count{};
        packet::ByteWriter(count).u32(lost_);
        if (ring_.write(make_header(static_cast<std::uint8_t>(RecordType::gap), at, count.size()), count)) lost_ = 0;
    }
    if (lost_ != 0 || !ring_.write(make_header(type, at, payload.size()), payload)) ++lost_;
}

std::vector<std::uint8_t> write_journal_header(const EngineSpec& spec, Instant now, const BatchCapacity& capacity) {
    std::array<std::uint8_t, 8 + 2 + 8 + 12> fixed{};
    packet::ByteWriter writer(fixed);
    writer.bytes(magic);
    writer.u16(format_version);
    writer.u32(static_cast<std::uint32_t>(static_cast<std::uint64_t>(now.ns) >> 32));
    writer.u32(static_cast<std::uint32_t>(now.ns));
    for (const std::uint32_t value : {capacity.urgent, capacity.paced, capacity.scratch_bytes}) writer.u32(value);
    std::vector<std::uint8_t> header(fixed.begin(), fixed.end());
    write_spec(header, spec);
    return header;
}

std::vector<std::uint8_t> write_journal_successor(const EngineSpec& spec, Instant now, std::span<const RouterIndex> predecessors) {
    const auto head = make_header(static_cast<std::uint8_t>(RecordType::successor), now, 0);
    std::vector<std::uint8_t> record(head.begin(), head.end());
    write_spec(record, spec);
    const auto add = [&record](std::uint32_t value) {
        std::array<std::uint8_t, 4> bytes{};
        packet::ByteWriter(bytes).u32(value);
        record.insert(record.end(), bytes.begin(), bytes.end());
    };
    add(static_cast<std::uint32_t>(predecessors.size()));
    for (const RouterIndex predecessor : predecessors) add(static_cast<std::uint32_t>(predecessor));
    return record;
}

std::string_view to_string(JournalError error) {
    switch (error) {
    case JournalError::not_a_journal: return "not a journal of this version";
    case JournalError::bad_header: return "its specification is damaged";
    case JournalError::bad_record: return "a record is damaged";
    case JournalError::truncated: return "it ends inside a record";
    case JournalError::gap: return "records were lost while it was written";
    case JournalError::diverged: return "the replay made other frames than the live run did";
    case JournalError::engine_refused: return "the engine refuses its specification";
    }
    return "?";
}

tl::expected<JournalReplay, JournalError> replay_journal(std::span<const std::uint8_t> journal) {
    packet::ByteReader reader(journal);
    if (!std::ranges::equal(reader.take(magic.size()), magic)) return tl::unexpected(JournalError::not_a_journal);
    const std::uint16_t version = reader.u16();
    if (version < first_version || version > format_version) return tl::unexpected(JournalError::not_a_journal);
    const Instant start = read_instant(reader);
    const BatchCapacity capacity{reader.u32(), reader.u32(), reader.u32()};
    const auto spec = read_spec(reader, version);
    if (!spec || !is_sane(start) || std::max({capacity.urgent, capacity.paced, capacity.scratch_bytes}) > largest_capacity) {
        return tl::unexpected(JournalError::bad_header);
    }
    auto engine = Engine::make(*spec, start);
    if (!engine) return tl::unexpected(JournalError::engine_refused);
    Player player(std::move(*engine), capacity, Transcript(names_of(*spec), start), version);

    JournalReplay replay;
    const auto stop = [&](JournalError error) {
        replay.is_complete = false;
        replay.stopped_by = error;
    };
    while (!reader.rest().empty() && replay.is_complete) {
        const std::uint8_t type = reader.u8();
        const bool is_padded = reader.u8() == 0;
        const std::size_t size = reader.u16();
        const Instant at = read_instant(reader);
        const packet::Bytes payload = reader.take(size);
        if (reader.has_failed()) stop(JournalError::truncated);
        else if (!is_padded || type == 0 || type > static_cast<std::uint8_t>(RecordType::adopted)) stop(JournalError::bad_record);
        else if (const auto error = RecordType{type} == RecordType::successor ? player.prepare(reader, at) : player.play(RecordType{type}, at, payload)) stop(*error);
        else ++replay.records;
    }
    replay.batches = player.batches();
    replay.transcript = player.finish();
    return replay;
}

}  // namespace vigil::engine
