#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/snmp/object_tree.h"
#include "engine/snmp/picture.h"

namespace vigil::snmp {

struct AgentSettings {
    Service service;
    std::string master;   ///< where the master agent listens, in net-snmp's words: "unix:/var/agentx/master", "tcp:localhost:705"
    int link = -1;        ///< to the VRRP process, see codec.h
};

/// An AgentX subagent (RFC 2741): answers the master agent from the last picture, and sends notifications through it. There can be one in a process, because
/// net-snmp's library keeps its state in global variables. It may be blocked for seconds by a master agent that hangs; nobody waits for it.
class Agent {
public:
    explicit Agent(AgentSettings settings) : settings_(std::move(settings)) {}
    ~Agent();
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;

    /// Until the VRRP process closes the link or `should_end` becomes true.
    void run(const volatile int& should_end);

    // --- called by net-snmp ---

    /// Of what is known now: at most some seconds old while the VRRP process answers.
    const ObjectTree& tree();
    void on_connection(bool is_connected);
    void log(bool is_warning, std::string_view text) const;

private:
    using Clock = std::chrono::steady_clock;

    void begin();
    void register_tree(const Oid& root);
    void ask_for_picture();
    bool wait_for_link(std::chrono::milliseconds patience) const;
    void read_link();
    void on_message(std::string_view message, int descriptor);
    void take_picture(int descriptor);
    void take_transitions(std::string_view encoded);
    void send_notifications(std::size_t most);
    bool has_master_read() const;
    void wait();

    AgentSettings settings_;
    std::unique_ptr<const Picture> picture_;
    ObjectTree tree_;
    bool is_asked_ = false;
    Clock::time_point asked_at_{};
    Clock::time_point fresh_until_{};
    std::deque<Transition> transitions_;      // not yet told
    std::uint64_t lost_ = 0;                  // for want of a master agent
    bool is_connected_ = false;
    bool is_link_closed_ = false;
};

}  // namespace vigil::snmp
