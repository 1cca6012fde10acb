#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "engine/core/engine.h"

namespace vigil::engine {

/// Capacities of the TxBatch that the journal was recorded with: they decide how many timers fire per call.
struct BatchCapacity {
    std::uint32_t urgent = 0;
    std::uint32_t paced = 0;
    std::uint32_t scratch_bytes = 0;
};

/// Bytes from the fast thread to the control thread. One producer, one consumer, wait-free, no allocation after construction. A
/// record that does not fit is lost as a whole.
class JournalRing {
public:
    /// Rounded up to a power of two.
    explicit JournalRing(std::size_t bytes);

    /// All or nothing.
    bool write(std::span<const std::uint8_t> header, std::span<const std::uint8_t> payload);
    /// Copies out what is there, up to out.size(); returns how much.
    std::size_t read(std::span<std::uint8_t> out);

private:
    void put(std::size_t position, std::span<const std::uint8_t> bytes);

    std::vector<std::uint8_t> bytes_;
    std::size_t mask_;
    alignas(64) std::atomic<std::size_t> head_{0};
    alignas(64) std::atomic<std::size_t> tail_{0};
};

/// Records every call that is made on an Engine, so that a run in the field can be replayed bit for bit. Called by the fast thread right
/// beside the engine; when the ring is full, records are lost, and a gap record with their number follows as soon as
/// there is room: a replay stops there.
class Journal {
public:
    explicit Journal(JournalRing& ring) : ring_(ring) {}

    /// The frames that Engine::on_frames() handled: its return value says how many.
    void frames(std::span<const RxFrame> handled);
    void time(Instant now);
    void command(const Command& command, Instant now);
    void transmit_error(RouterIndex router, int error_number, Instant now);
    /// Engine::adopt() by the engine of the last write_journal_successor().
    void adopted(Instant now);
    /// The batch was sent and will be cleared now. Keeps a digest of its frames, so that a replay knows whether it made the same.
    void cleared(const TxBatch& sent);

private:
    void append(std::uint8_t type, Instant at, std::span<const std::uint8_t> payload);

    JournalRing& ring_;
    std::uint32_t lost_ = 0;
};

/// What stands at the beginning of a journal: everything that Engine::make() got. Written once, before the fast thread starts.
std::vector<std::uint8_t> write_journal_header(const EngineSpec& spec, Instant now, const BatchCapacity& capacity);

/// For a reload: the specification that another Engine was made from, and its predecessors as Engine::adopt() gets them. Stands between the records
/// of the fast thread, anywhere before Journal::adopted().
std::vector<std::uint8_t> write_journal_successor(const EngineSpec& spec, Instant now, std::span<const RouterIndex> predecessors);

/// Why a journal cannot be replayed to its end.
enum class JournalError : std::uint8_t {
    not_a_journal,     ///< magic or version wrong
    bad_header,        ///< specification cut off or out of range
    bad_record,        ///< unknown type or impossible length
    truncated,         ///< ends inside a record: the daemon was killed; everything before was replayed
    gap,               ///< records were lost while recording
    diverged,          ///< the replay made other frames than the live run: another version, or a fault in the engine
    engine_refused,    ///< Engine::make() did not accept the specification
};
std::string_view to_string(JournalError error);

struct JournalReplay {
    std::string transcript;
    std::size_t records = 0;
    std::size_t batches = 0;     ///< sent batches that were compared with the live run's digests, and equal
    bool is_complete = true;
    JournalError stopped_by = JournalError::truncated;   ///< meaningful when not complete
};

/// Makes the engine again and calls it as it was called. Everything in `journal` is untrusted.
tl::expected<JournalReplay, JournalError> replay_journal(std::span<const std::uint8_t> journal);

}  // namespace vigil::engine
