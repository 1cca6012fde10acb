#include "ipvs/checkers/http_judge.h"

#include <algorithm>

#include <fmt/format.h>

namespace vigil::checkers {
namespace {

std::optional<unsigned> read_digit(char character) {
    if (character >= '0' && character <= '9') return static_cast<unsigned>(character - '0');
    if (character >= 'a' && character <= 'f') return static_cast<unsigned>(character - 'a' + 10);
    if (character >= 'A' && character <= 'F') return static_cast<unsigned>(character - 'A' + 10);
    return std::nullopt;
}

bool contains(const std::vector<StatusRange>& ranges, unsigned code) {
    return std::ranges::any_of(ranges, [code](const StatusRange& range) { return code >= range.first && code <= range.last; });
}

/// With nothing said about an answer, it must be a success.
std::vector<StatusRange> wanted_status(const UrlSpec& spec) {
    if (spec.status.empty() && !spec.digest && !spec.regex) return {StatusRange{}};
    return spec.status;
}

}  // namespace

HttpJudge::HttpJudge(const UrlSpec& spec, std::shared_ptr<const Regex> regex) : spec_(spec) {
    if (spec.regex && regex) search_.emplace(std::move(regex), *spec.regex);
    ::md5_init(&md5_);
}

void HttpJudge::complain(std::string cause) {
    is_settled_ = true;
    if (!complaint_) complaint_ = std::move(cause);
}

void HttpJudge::on_status(unsigned code) {
    const std::vector<StatusRange> wanted = wanted_status(spec_);
    if (!wanted.empty() && !contains(wanted, code)) complain(fmt::format("HTTP status {} where {} is expected", code, to_string(wanted)));
}

void HttpJudge::on_body(std::string_view octets) {
    if (is_settled_) return;
    size_ += octets.size();
    if (!spec_.digest && !search_) {
        is_settled_ = size_ >= most_unjudged;
        return;
    }
    if (size_ > most_judged) return complain(fmt::format("the body has more than {} MiB", most_judged >> 20));
    if (spec_.digest) ::md5_update(&md5_, octets.size(), reinterpret_cast<const std::uint8_t*>(octets.data()));
    if (!search_) return;
    search_->on_text(octets);
    if (!search_->error().empty()) return complain(fmt::format("regex: {}", search_->error()));
    if (!search_->is_settled() || spec_.digest) return;
    on_end();
}

void HttpJudge::on_end() {
    if (is_settled_) return;
    is_settled_ = true;
    if (spec_.digest) {
        Md5 digest{};
        ::md5_digest(&md5_, digest.size(), digest.data());
        if (digest != *spec_.digest) return complain(fmt::format("digest {} instead of {}", to_string(digest), to_string(*spec_.digest)));
    }
    if (!search_) return;
    search_->on_end();
    if (!search_->error().empty()) return complain(fmt::format("regex: {}", search_->error()));
    if (search_->has_matched() == spec_.regex->must_not_match)
        complain(spec_.regex->must_not_match ? "the body matches the regex that it must not match" : "the body does not match the regex");
}

std::optional<Md5> read_md5(std::string_view text) {
    Md5 digest{};
    if (text.size() != 2 * digest.size()) return std::nullopt;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const auto high = read_digit(text[2 * i]);
        const auto low = read_digit(text[2 * i + 1]);
        if (!high || !low) return std::nullopt;
        digest[i] = static_cast<std::uint8_t>(*high * 16 + *low);
    }
    return digest;
}

std::string to_string(const Md5& digest) {
    std::string text;
    for (const std::uint8_t octet : digest) text += fmt::format("{:02x}", octet);
    return text;
}

std::string to_string(const std::vector<StatusRange>& ranges) {
    std::string text;
    for (const StatusRange& range : ranges) {
        if (!text.empty()) text += ", ";
        text += range.first == range.last ? fmt::format("{}", range.first) : fmt::format("{}-{}", range.first, range.last);
    }
    return text;
}

}  // namespace vigil::checkers
