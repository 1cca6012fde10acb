#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "packet/address.h"

/// Records with fields() as octets and back: host byte order, because both ends are one build on one host. Lists and strings are preceded by their length.
namespace vigil::snmp {

template <typename T>
concept Number = std::is_arithmetic_v<T> || std::is_enum_v<T>;
template <typename T>
concept Record = requires(T& it) { T::fields(it); };

/// Writes to the end of a string.
class Encoder {
public:
    explicit Encoder(std::string& out) : out_(out) {}

    template <Number T>
    void put(T value) {
        out_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void put(std::string_view text) {
        put_size(text.size());
        out_ += text;
    }
    void put(const std::string& text) { put(std::string_view(text)); }
    void put(const IpAddress& address) {
        put(address.family);
        put(address.octets);
    }
    void put(const MacAddress& mac) { put(mac.octets); }
    template <typename T, std::size_t N>
    void put(const std::array<T, N>& list) {
        for (const T& one : list) put(one);
    }
    template <typename T>
    void put(const std::optional<T>& value) {
        put(value.has_value());
        if (value) put(*value);
    }
    template <typename T>
    void put(const std::vector<T>& list) {
        put_size(list.size());
        for (const T& one : list) put(one);
    }
    template <Record T>
    void put(const T& record) {
        std::apply([this](const auto&... member) { (put(member), ...); }, T::fields(record));
    }
    /// Of a list whose elements follow by put(), one by one: the whole need not be in memory.
    void put_size(std::size_t count) { put(static_cast<std::uint32_t>(count)); }

private:
    std::string& out_;
};

/// Reads what an Encoder has written. get() is false when that is cut short or cannot be; the record is then of no use.
class Decoder {
public:
    explicit Decoder(std::string_view in) : in_(in) {}

    bool is_at_end() const { return in_.empty(); }

    template <Number T>
    bool get(T& value) {
        if (in_.size() < sizeof value) return false;
        if constexpr (std::is_same_v<T, bool>) value = in_.front() != 0;
        else std::memcpy(&value, in_.data(), sizeof value);
        in_.remove_prefix(sizeof value);
        return true;
    }
    bool get(std::string& text) {
        std::uint32_t size = 0;
        if (!get(size) || in_.size() < size) return false;
        text = in_.substr(0, size);
        in_.remove_prefix(size);
        return true;
    }
    bool get(IpAddress& address) { return get(address.family) && get(address.octets); }
    bool get(MacAddress& mac) { return get(mac.octets); }
    template <typename T, std::size_t N>
    bool get(std::array<T, N>& list) {
        for (T& one : list) {
            if (!get(one)) return false;
        }
        return true;
    }
    template <typename T>
    bool get(std::optional<T>& value) {
        bool has_value = false;
        if (!get(has_value)) return false;
        if (!has_value) return true;
        return get(value.emplace());
    }
    template <typename T>
    bool get(std::vector<T>& list) {
        std::uint32_t count = 0;
        if (!get(count) || count > in_.size()) return false;   // each takes an octet at least
        list.clear();
        list.reserve(count);
        for (std::uint32_t i = 0; i < count; ++i) {
            if (!get(list.emplace_back())) return false;
        }
        return true;
    }
    template <Record T>
    bool get(T& record) {
        return std::apply([this](auto&... member) { return (get(member) && ...); }, T::fields(record));
    }

private:
    std::string_view in_;
};

/// What the datagrams between the VRRP process and vigil-snmp begin with.
enum class Message : char {
    want_picture = 'P',   ///< by vigil-snmp: the answer is `picture`
    log = 'L',            ///< by vigil-snmp: a level (0 information, 1 warning) and a line for the daemon's log
    picture = 'p',        ///< by the VRRP process: with a descriptor whose file is an encoded Picture
    transitions = 't',    ///< by the VRRP process: encoded Transitions up to its end
    changed = 'c',        ///< by the VRRP process: a new configuration is at work, pictures are out of date
};

/// The descriptor that vigil-snmp has its end of the socket pair at.
constexpr int link_descriptor = 3;
constexpr std::size_t longest_message = 32 * 1024;

}  // namespace vigil::snmp
