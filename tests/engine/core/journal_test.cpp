// A run is recorded beside the engine and replayed from bytes: the same transcript, also when the bytes are cut off, damaged or hostile.

#include "engine/core/journal.h"

#include <gtest/gtest.h>

#include <random>

#include "engine/core/spec_codec.h"
#include "engine/core/transcript.h"
#include "tests/engine/core/engine_harness.h"

namespace vigil::test {
namespace {

using namespace vigil::engine;
using Journalled = std::vector<std::uint8_t>;

constexpr BatchCapacity capacity{16, 16, 8192};

/// Calls an engine as the fast loop does, writes the journal and the transcript beside it.
class Recorder {
public:
    explicit Recorder(const EngineSpec& spec, std::size_t ring_bytes = 1 << 20)
        : engine_(std::move(*Engine::make(spec, at(0s)))), ring_(ring_bytes), bytes_(write_journal_header(spec, at(0s), capacity)) {
        std::vector<std::string> names;
        for (const RouterSpec& router : spec.routers) names.push_back(router.name);
        transcript_ = Transcript(std::move(names), at(0s));
    }

    void command(const Command& command, Instant now) {
        now_ = now;
        engine_.on_command(command, now, tx_);
        journal_.command(command, now);
        events();
    }
    void frames(std::vector<Octets> bytes, Instant arrival) {
        now_ = arrival;
        std::vector<RxFrame> frames;
        for (const Octets& one : bytes) frames.push_back({one, arrival, LinkIndex{0}});
        journal_.frames(std::span(frames).first(engine_.on_frames(frames, tx_)));
        events();
    }
    /// To an engine with the same routers in reverse order.
    void reload(const EngineSpec& spec, Instant now) {
        drain();
        EngineSpec reversed = spec;
        std::ranges::reverse(reversed.routers);
        std::ranges::reverse(reversed.hmac_users);
        for (HmacUser& user : reversed.hmac_users) user.router = RouterIndex{static_cast<std::uint32_t>(spec.routers.size() - 1 - to_number(user.router))};
        std::vector<RouterIndex> predecessors;
        for (std::size_t i = spec.routers.size(); i-- > 0;) predecessors.push_back(RouterIndex{static_cast<std::uint32_t>(i)});
        const Journalled record = write_journal_successor(reversed, now, predecessors);
        bytes_.insert(bytes_.end(), record.begin(), record.end());
        Engine next = std::move(*Engine::make(reversed, now));
        next.adopt(engine_, predecessors, now);
        engine_ = std::move(next);
        journal_.adopted(now);
        std::vector<std::string> names;
        for (const RouterSpec& router : reversed.routers) names.push_back(router.name);
        transcript_.rename(std::move(names));
        transcript_.note(now, "configuration changed");
    }
    void transmit_error(Instant now) {
        engine_.on_transmit_error(RouterIndex{0}, 105, now);
        journal_.transmit_error(RouterIndex{0}, 105, now);
        events();
    }
    /// Ends the pass: time, then transmit.
    void pass(Instant now) {
        now_ = now;
        engine_.on_time(now, tx_);
        journal_.time(now);
        events();
        for (const TxFrame& frame : tx_.urgent()) transcript_.sent(now_, frame);
        for (const TxFrame& frame : tx_.paced()) transcript_.sent(now_, frame);
        journal_.cleared(tx_);
        tx_.clear();
    }
    void drain() {
        std::array<std::uint8_t, 4096> some;
        for (std::size_t n; (n = ring_.read(some)) != 0;) bytes_.insert(bytes_.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(n));
    }
    Journalled bytes() {
        drain();
        return bytes_;
    }
    std::string transcript() { return transcript_.finish(); }

private:
    void events() {
        std::array<Event, 16> some;
        for (std::size_t n; (n = engine_.take_events(some)) != 0;) {
            for (const Event& event : std::span(some).first(n)) transcript_.event(event, engine_.router(event.router));
        }
    }

    Engine engine_;
    TxBatch tx_{capacity.urgent, capacity.paced, capacity.scratch_bytes};
    JournalRing ring_;
    Journal journal_{ring_};
    Journalled bytes_;
    Transcript transcript_{{}, at(0s)};
    Instant now_{};
};

EngineSpec some_routers() {
    RouterSpec ah = v2_router(3, Priority{100});
    ah.auth_type = packet::AuthType::ah;
    EngineSpec spec = with({v3_router(1, Priority{100}), v3_router(2, Priority::owner), ah, ipv6_router(1, Priority{100}), unicast_router(9, Priority{120})});
    spec.hmacs = {{.keys = {{1, std::vector<std::uint8_t>(32, 'k')}}, .mode = HmacMode::permissive}};
    spec.hmac_users = {{RouterIndex{1}, 0}, {RouterIndex{4}, 0}};
    return spec;
}

/// Elections, answers, faults, errors and junk: some of everything an engine is called for.
void live_through(Recorder& recorder) {
    recorder.command(wall_clock_command(1'763'000'000s), at(0s));
    recorder.command({.kind = Command::Kind::start}, at(0s));
    recorder.pass(at(0s));
    for (int second = 1; second < 20; ++second) {
        const Instant now = at(second * 1s);
        if (second < 6) recorder.frames({v3_frame(1, 200).build(), ipv6_frame(1, 200).build()}, now);
        if (second == 3) recorder.frames({v3_frame(1, 200).bad_checksum().build(), v3_frame(1, 200).interval(200).build()}, now);
        if (second == 12) recorder.frames({v3_frame(1, 50).build(), v3_frame(2, 255).build(), v2_frame(3, 200).ah("", 7).build()}, now);
        if (second == 13) recorder.command({.kind = Command::Kind::addresses_ready}, now);
        if (second == 15) recorder.transmit_error(now);
        if (second == 16) recorder.command({.kind = Command::Kind::set_priority, .value = 77, .router = RouterIndex{0}}, now);
        if (second == 17) recorder.command({.kind = Command::Kind::link_down, .link = LinkIndex{0}}, now);
        for (int pass = 0; pass < 10; ++pass) recorder.pass(now + pass * 100ms);
    }
}

TEST(Journal, ReplayGivesTheSameTranscript) {
    Recorder recorder(some_routers());
    live_through(recorder);
    const auto replay = replay_journal(recorder.bytes());
    ASSERT_TRUE(replay.has_value()) << to_string(replay.error());
    EXPECT_TRUE(replay->is_complete);
    EXPECT_GT(replay->records, 400u);
    const std::string live = recorder.transcript();
    EXPECT_EQ(replay->transcript, live);
    EXPECT_NE(live.find("Backup -> Active: Active_Down_Timer fired"), std::string::npos) << live;
    EXPECT_NE(live.find("announces by gratuitous ARP"), std::string::npos);
    EXPECT_NE(live.find("announces by unsolicited NA"), std::string::npos);
    EXPECT_NE(live.find("with AH"), std::string::npos);
}

TEST(Journal, AReloadIsReplayed) {
    Recorder recorder(some_routers());
    recorder.command({.kind = Command::Kind::start}, at(0s));
    for (Nanoseconds passed = 0ms; passed < 5s; passed += 100ms) recorder.pass(at(passed));
    recorder.reload(some_routers(), at(5s));
    recorder.frames({v3_frame(1, 200).build()}, at(5s));
    for (Nanoseconds passed = 5s; passed < 10s; passed += 100ms) recorder.pass(at(passed));
    const auto replay = replay_journal(recorder.bytes());
    ASSERT_TRUE(replay.has_value());
    EXPECT_TRUE(replay->is_complete) << to_string(replay->stopped_by);
    const std::string live = recorder.transcript();
    EXPECT_EQ(replay->transcript, live);
    EXPECT_NE(live.find("configuration changed"), std::string::npos);
}

TEST(Journal, AnAdoptionWithoutASuccessorIsDamage) {
    Recorder recorder(some_routers());
    recorder.command({.kind = Command::Kind::start}, at(0s));
    Journalled bytes = recorder.bytes();
    for (const int octet : {8, 0, 0, 0, 0, 0, 0, 232, 212, 165, 16, 0}) bytes.push_back(static_cast<std::uint8_t>(octet));
    const auto replay = replay_journal(bytes);
    ASSERT_TRUE(replay.has_value());
    EXPECT_FALSE(replay->is_complete);
    EXPECT_EQ(replay->stopped_by, JournalError::bad_record);
}

TEST(Journal, CarriesSyncGroups) {
    EngineSpec spec = with({v3_router(1, Priority{100}), v3_router(2, Priority{100}), v3_router(3, Priority{100})});
    spec.groups = {{"G1", {RouterIndex{0}, RouterIndex{2}}}};
    Recorder recorder(spec);
    live_through(recorder);
    const auto replay = replay_journal(recorder.bytes());
    ASSERT_TRUE(replay.has_value());
    EXPECT_TRUE(replay->is_complete) << to_string(replay->stopped_by);
    EXPECT_GT(replay->batches, 100u);
    const std::string live = recorder.transcript();
    EXPECT_EQ(replay->transcript, live);
    EXPECT_NE(live.find("its sync group does"), std::string::npos) << live;
}

/// Version 3 had no sync groups behind the routers, version 4 no auth_hmac behind these; they are the same otherwise.
TEST(Journal, OfVersionsBeforeSyncGroupsAndAuthHmacIsStillReplayed) {
    EngineSpec spec = some_routers();
    spec.hmacs.clear();
    spec.hmac_users.clear();
    Recorder recorder(spec);
    live_through(recorder);
    const std::string transcript = recorder.transcript();
    const std::ptrdiff_t since_4 = 8 + 6 + static_cast<std::ptrdiff_t>(spec.routers.size());   // no signatures, pacing groups or refreshes; stalled_for
    for (const auto& [version, missing] : {std::pair<std::uint8_t, std::ptrdiff_t>{3, since_4 + 4}, {4, since_4}}) {
        Journalled old = recorder.bytes();
        const auto header = old.begin() + static_cast<std::ptrdiff_t>(write_journal_header(spec, at(0s), capacity).size());
        old.erase(header - missing, header);
        old[9] = version;
        const auto replay = replay_journal(old);
        ASSERT_TRUE(replay.has_value()) << to_string(replay.error());
        EXPECT_TRUE(replay->is_complete);
        EXPECT_EQ(replay->transcript, transcript);
    }
}

TEST(Journal, CommandsCarryEveryField) {
    // A command whose fields were lost or exchanged on the way would give another run.
    Recorder recorder(some_routers());
    recorder.command({.kind = Command::Kind::start}, at(0s));
    recorder.command({.kind = Command::Kind::set_fault, .fault = Fault::tracker, .router = RouterIndex{1}}, at(1s));
    recorder.command({.kind = Command::Kind::set_primary_address, .router = RouterIndex{0}, .address = address_of("10.0.0.77").octets}, at(1s));
    recorder.pass(at(10s));
    recorder.frames({v3_frame(1, 100, 77).build(), v3_frame(1, 100, 76).build()}, at(11s));
    recorder.command({.kind = Command::Kind::report_states}, at(11s));
    recorder.command({.kind = Command::Kind::shutdown}, at(12s));
    recorder.pass(at(12s));
    const auto replay = replay_journal(recorder.bytes());
    ASSERT_TRUE(replay.has_value());
    EXPECT_EQ(replay->transcript, recorder.transcript());
}

TEST(Journal, ALostRecordLeavesAGapAndReplayStopsThere) {
    Recorder recorder(some_routers(), 1024);
    recorder.command({.kind = Command::Kind::start}, at(0s));
    recorder.pass(at(0s));
    recorder.drain();
    for (int i = 0; i < 100; ++i) recorder.frames({v3_frame(1, 200).build()}, at(1s));  // more than 1,024 octets
    recorder.drain();
    recorder.frames({v3_frame(1, 200).build()}, at(1s));  // room again, but nothing may stand behind the hole without the gap
    recorder.pass(at(2s));
    const auto replay = replay_journal(recorder.bytes());
    ASSERT_TRUE(replay.has_value());
    EXPECT_FALSE(replay->is_complete);
    EXPECT_EQ(replay->stopped_by, JournalError::gap);
    EXPECT_EQ(replay->records, 3u + 1024 / (12 + 11 + 46)) << "start, time, cleared and the frames that fitted";
}

TEST(Journal, CutOffAnywhereItReplaysWhatIsWhole) {
    Recorder recorder(with({v3_router(1, Priority{100})}));
    recorder.command({.kind = Command::Kind::start}, at(0s));
    recorder.frames({v3_frame(1, 200).build()}, at(1s));
    recorder.pass(at(1s));
    const Journalled whole = recorder.bytes();
    std::size_t header = write_journal_header(with({v3_router(1, Priority{100})}), at(0s), capacity).size();
    std::size_t complete = 0;
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        const auto replay = replay_journal(std::span(whole).first(size));
        ASSERT_EQ(replay.has_value(), size >= header) << size;
        if (!replay) {
            ASSERT_EQ(replay.error(), size < 10 ? JournalError::not_a_journal : JournalError::bad_header) << size;
            continue;
        }
        if (replay->is_complete) ++complete;
        else ASSERT_EQ(replay->stopped_by, JournalError::truncated);
    }
    EXPECT_EQ(complete, 5u) << "the bare header and behind each of command, frame, time and cleared";
}

TEST(Journal, EveryRefusalHasItsName) {
    Journalled bytes = write_journal_header(with({v3_router(1, Priority{100})}), at(0s), capacity);
    const auto error_of = [](const Journalled& journal) { return replay_journal(journal).error(); };

    Journalled broken = bytes;
    broken[0] = 'X';
    EXPECT_EQ(error_of(broken), JournalError::not_a_journal);
    broken = bytes;
    for (const std::uint8_t version : {std::uint8_t{1}, std::uint8_t{6}}) {
        broken[9] = version;
        EXPECT_EQ(error_of(broken), JournalError::not_a_journal);
    }
    broken = bytes;
    broken[18] = 0xff;  // capacity of the urgent lane
    EXPECT_EQ(error_of(broken), JournalError::bad_header);

    EngineSpec twice = with({v3_router(1, Priority{100}), v3_router(1, Priority{90})});
    EXPECT_EQ(error_of(write_journal_header(twice, at(0s), capacity)), JournalError::engine_refused);

    for (const Journalled& record : {Journalled{9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, Journalled{2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                                    Journalled{3, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 99}, Journalled{1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}}) {
        broken = bytes;
        broken.insert(broken.end(), record.begin(), record.end());
        const auto replay = replay_journal(broken);
        ASSERT_TRUE(replay.has_value());
        EXPECT_FALSE(replay->is_complete);
        EXPECT_EQ(replay->stopped_by, JournalError::bad_record);
    }
    for (int error = 0; error <= static_cast<int>(JournalError::engine_refused); ++error) {
        EXPECT_GT(to_string(static_cast<JournalError>(error)).size(), 5u);
    }
}

TEST(Journal, AReplayThatMakesOtherFramesSaysSo) {
    Recorder recorder(with({v3_router(1, Priority::owner)}));
    recorder.command({.kind = Command::Kind::start}, at(0s));
    recorder.pass(at(0s));
    const Journalled bytes = recorder.bytes();
    EXPECT_EQ(replay_journal(bytes)->batches, 1u);
    for (std::size_t octet = 1; octet <= 16; ++octet) {  // the digest stands at the end
        Journalled broken = bytes;
        broken[broken.size() - octet] ^= 1;
        const auto replay = replay_journal(broken);
        ASSERT_TRUE(replay.has_value());
        EXPECT_EQ(replay->stopped_by, JournalError::diverged);
        EXPECT_EQ(replay->batches, 0u);
    }
}

TEST(Journal, InstantsBeyondReasonAreABadRecord) {
    // Arithmetic on them would overflow.
    for (const std::uint8_t high : {std::uint8_t{0x7f}, std::uint8_t{0x80}, std::uint8_t{0xff}}) {
        Journalled journal = write_journal_header(with({v3_router(1, Priority{100})}), at(0s), capacity);
        const Journalled record{2, 0, 0, 0, high, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
        journal.insert(journal.end(), record.begin(), record.end());
        const auto replay = replay_journal(journal);
        ASSERT_TRUE(replay.has_value());
        EXPECT_EQ(replay->stopped_by, JournalError::bad_record);
        EXPECT_FALSE(replay->is_complete);
    }
    Journalled header = write_journal_header(with({v3_router(1, Priority{100})}), Instant{-5}, capacity);
    EXPECT_EQ(replay_journal(header).error(), JournalError::bad_header);
}

TEST(Journal, DamagedBytesNeverDoHarm) {
    // Meant for ASan and UBSan: each of 4,000 journals has up to eight octets changed.
    Recorder recorder(some_routers());
    live_through(recorder);
    const Journalled whole = recorder.bytes();
    std::mt19937 random(1);
    const std::size_t header = write_journal_header(some_routers(), at(0s), capacity).size();
    for (int i = 0; i < 4'000; ++i) {
        Journalled broken(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(header + random() % 3'000));
        for (std::size_t n = 1 + random() % 8; n != 0; --n) {
            const std::size_t place = random() % 2 == 0 ? random() % header : random() % broken.size();
            broken[place] = static_cast<std::uint8_t>(random());
        }
        replay_journal(broken);
    }
}

// The codec of the specification.

TEST(SpecCodec, RoundTripKeepsEveryField) {
    EngineSpec spec = some_routers();
    spec.form = arp::GratuitousForm::reply;
    spec.garp_interval = 3ms;
    spec.gna_interval = 4ms;
    spec.links.push_back({.name = "lan1", .mac = lan_mac, .is_up = false, .forwards_ipv6 = false});
    RouterSpec& router = spec.routers[0];
    router.interval = Centiseconds{250};
    router.down_timer_adverts = 5;
    router.preempt_delay_ms = 123'456;
    set(router, Flag::no_answer_to_lower);
    router.checksum = packet::ChecksumForm::message_only;
    router.announcements = {.repeat = 1, .delay = 2ms, .refresh = 3ms, .refresh_repeat = 4, .lower_repeat = 5, .lower_delay = 6ms};
    router.announced[0].link = LinkIndex{1};
    spec.routers[2].auth_key = {1, 2, 3, 4, 5, 6, 7, 8};
    spec.routers[2].ah_sequence_number = 0x12345678;
    spec.routers[4].peers[1] = {.address = address_of("10.0.0.9"), .min_ttl = 3, .max_ttl = 200};
    spec.routers[4].ttl = 64;
    spec.groups = {{"G1", {RouterIndex{0}, RouterIndex{3}}}, {"G2", {RouterIndex{1}}}};
    spec.hmacs = {{.keys = {{7, std::vector<std::uint8_t>(32, 1)}, {9, std::vector<std::uint8_t>(64, 2)}}, .active_key = 9, .mode = HmacMode::receive_only,
                   .checks_time = false, .window_seconds = 300}};
    spec.hmac_users = {{RouterIndex{0}, 0}, {RouterIndex{3}, 0}};
    spec.pacing_groups = {{5ms, 6ms, {LinkIndex{1}, LinkIndex{0}}}};
    spec.extra_refreshes = {{RouterIndex{1}, LinkIndex{1}, 7ms, {0}}, {RouterIndex{3}, LinkIndex{0}, 8ms, {1, 0}}};
    router.stalled_for = 9;

    Journalled bytes;
    write_spec(bytes, spec);
    packet::ByteReader reader(bytes);
    const auto read = read_spec(reader);
    ASSERT_TRUE(read.has_value());
    EXPECT_TRUE(reader.rest().empty());
    Journalled again;
    write_spec(again, *read);
    EXPECT_EQ(again, bytes);

    const RouterSpec& first = read->routers[0];
    EXPECT_EQ(first.name, "VI_1");
    EXPECT_EQ(first.interval, Centiseconds{250});
    EXPECT_EQ(first.preempt_delay_ms, 123'456u);
    EXPECT_EQ(first.announcements.lower_delay, 6ms);
    EXPECT_EQ(first.announced[0].link, LinkIndex{1});
    EXPECT_EQ(read->routers[2].auth_type, packet::AuthType::ah);
    EXPECT_EQ(read->routers[3].family, Family::ipv6);
    EXPECT_EQ(read->routers[4].peers[1].max_ttl, 200);
    EXPECT_EQ(read->form, arp::GratuitousForm::reply);
    EXPECT_FALSE(read->links[1].is_up);
    ASSERT_EQ(read->groups.size(), 2u);
    EXPECT_EQ(read->groups[0].name, "G1");
    EXPECT_EQ(read->groups[0].members, (std::vector{RouterIndex{0}, RouterIndex{3}}));
    EXPECT_EQ(read->hmacs, spec.hmacs);
    ASSERT_EQ(read->hmac_users.size(), 2u);
    EXPECT_EQ(read->hmac_users[1].router, RouterIndex{3});
    ASSERT_EQ(read->pacing_groups.size(), 1u);
    EXPECT_EQ(read->pacing_groups[0].garp_interval, 5ms);
    EXPECT_EQ(read->pacing_groups[0].gna_interval, 6ms);
    EXPECT_EQ(read->pacing_groups[0].links, (std::vector{LinkIndex{1}, LinkIndex{0}}));
    EXPECT_EQ(first.stalled_for, 9);
    ASSERT_EQ(read->extra_refreshes.size(), 2u);
    EXPECT_EQ(read->extra_refreshes[1].router, RouterIndex{3});
    EXPECT_EQ(read->extra_refreshes[1].link, LinkIndex{0});
    EXPECT_EQ(read->extra_refreshes[1].period, 8ms);
    EXPECT_EQ(read->extra_refreshes[1].addresses, (std::vector<std::uint16_t>{1, 0}));
}

TEST(SpecCodec, CutOffAnywhereItIsRefused) {
    Journalled bytes;
    write_spec(bytes, some_routers());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        packet::ByteReader reader(packet::Bytes(bytes).first(size));
        ASSERT_FALSE(read_spec(reader).has_value()) << size;
    }
}

TEST(SpecCodec, RefusesWhatIsOutOfRange) {
    const auto is_refused = [](auto&& spoil) {
        EngineSpec spec = with({v3_router(1, Priority{100})});
        spoil(spec);
        Journalled bytes;
        write_spec(bytes, spec);
        packet::ByteReader reader(bytes);
        return !read_spec(reader).has_value();
    };
    EXPECT_FALSE(is_refused([](EngineSpec&) {}));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.form = arp::GratuitousForm{0}; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.form = arp::GratuitousForm{3}; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.garp_interval = -1ns; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.pacing_groups = {{1ns, 1ns, {LinkIndex{7}}}}; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.pacing_groups = {{-1ns, 1ns, {}}}; }));
    EXPECT_FALSE(is_refused([](EngineSpec& s) { s.extra_refreshes = {{RouterIndex{0}, LinkIndex{0}, 1ns, {0}}}; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.extra_refreshes = {{RouterIndex{1}, LinkIndex{0}, 1ns, {0}}}; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.extra_refreshes = {{RouterIndex{0}, LinkIndex{1}, 1ns, {0}}}; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.extra_refreshes = {{RouterIndex{0}, LinkIndex{0}, 0ns, {0}}}; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.extra_refreshes = {{RouterIndex{0}, LinkIndex{0}, 1ns, {1}}}; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.gna_interval = Nanoseconds::max(); }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.routers[0].link = LinkIndex{1}; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.routers[0].vrid = Vrid{0}; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.routers[0].priority = Priority::stop; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.routers[0].interval = Centiseconds{0}; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.routers[0].down_timer_adverts = 0; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.routers[0].family = Family{2}; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.routers[0].version = VrrpVersion{1}; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.routers[0].auth_type = packet::AuthType{3}; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.routers[0].checksum = packet::ChecksumForm{3}; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.routers[0].group = vrrp_group_ipv6; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.routers[0].announced[0].link = LinkIndex{1}; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.groups = {{"G1", {RouterIndex{1}}}}; }));
    const HmacSpec hmac{.keys = {{1, std::vector<std::uint8_t>(32, 1)}}};
    EXPECT_FALSE(is_refused([&](EngineSpec& s) { s.hmacs = {hmac}; }));
    EXPECT_TRUE(is_refused([&](EngineSpec& s) { (s.hmacs = {hmac})[0].mode = HmacMode{3}; }));
    EXPECT_TRUE(is_refused([&](EngineSpec& s) { (s.hmacs = {hmac})[0].active_key = 2; }));
    EXPECT_TRUE(is_refused([&](EngineSpec& s) { s.hmac_users = {{RouterIndex{0}, 0}}; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.routers[0].announcements.delay = Nanoseconds::max(); }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.routers[0].announcements.refresh = -1ns; }));
    EXPECT_TRUE(is_refused([](EngineSpec& s) { s.routers[0].announcements.lower_delay = Nanoseconds::max(); }));
}

}  // namespace
}  // namespace vigil::test
