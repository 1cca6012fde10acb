#include "ipvs/checkers/regex.h"

#include <gtest/gtest.h>

#include <random>

using namespace vigil::checkers;

namespace {

RegexSpec spec_of(const char* pattern, std::initializer_list<const char*> options = {}) {
    RegexSpec spec;
    spec.pattern = pattern;
    for (const char* option : options) EXPECT_TRUE(add_regex_option(spec, option)) << option;
    return spec;
}

/// Searched in pieces of `size`.
RegexSearch search(const RegexSpec& spec, std::string_view text, std::size_t size) {
    auto regex = Regex::compile(spec);
    EXPECT_TRUE(regex) << (regex ? "" : regex.error());
    RegexSearch search(*regex, spec);
    for (std::size_t at = 0; at < text.size(); at += size) search.on_text(text.substr(at, size));
    search.on_end();
    return search;
}

bool matches(const RegexSpec& spec, std::string_view text, std::size_t size = 100'000) { return search(spec, text, size).has_matched(); }

std::string filler(std::size_t size) { return std::string(size, '-'); }

}  // namespace

TEST(Regex, FindsInOnePiece) {
    EXPECT_TRUE(matches(spec_of("he(ll)?o"), "say hello"));
    EXPECT_FALSE(matches(spec_of("hallo"), "say hello"));
    EXPECT_TRUE(matches(spec_of("HELLO", {"caseless"}), "say hello"));
    EXPECT_TRUE(matches(spec_of(""), ""));
}

TEST(Regex, ErrorsSayWhere) {
    const auto regex = Regex::compile(spec_of("a(b"));
    ASSERT_FALSE(regex);
    EXPECT_EQ(regex.error(), "missing closing parenthesis (at 3)");
}

TEST(Regex, UnknownOptionIsRefused) {
    RegexSpec spec;
    EXPECT_FALSE(add_regex_option(spec, "fast"));
    EXPECT_TRUE(add_regex_option(spec, "utf"));
}

TEST(RegexSearch, FindsAcrossPiecesWhereverTheyAreCut) {
    const std::string text = filler(20'000) + "status: all systems operational" + filler(20'000);
    for (const std::size_t size : {1u, 7u, 1000u, 8192u, 16'384u, 20'010u}) {
        EXPECT_TRUE(matches(spec_of("all systems (operational|fine)"), text, size)) << size;
        EXPECT_FALSE(matches(spec_of("all systems down"), text, size)) << size;
    }
}

TEST(RegexSearch, LookbehindAndWordBoundariesReachBackOverThePieces) {
    // 16,384 octets are searched at a time.
    const std::string text = filler(16'384 - 3) + "abcdef" + filler(20'000);
    EXPECT_TRUE(matches(spec_of("(?<=abc)def"), text, 512));
    EXPECT_FALSE(matches(spec_of("(?<=abd)def"), text, 512));
    EXPECT_FALSE(matches(spec_of("\\bdef"), text, 512));
    EXPECT_TRUE(matches(spec_of("\\babc"), text, 512));
}

TEST(RegexSearch, AnchorsMeanTheTextAndNotThePiece) {
    const std::string text = "first" + filler(16'384 - 5) + "middle" + filler(16'384) + "last\n";
    EXPECT_TRUE(matches(spec_of("^first"), text, 512));
    EXPECT_FALSE(matches(spec_of("^middle"), text, 512));
    EXPECT_FALSE(matches(spec_of("\\Amiddle"), text, 512));
    EXPECT_TRUE(matches(spec_of("last$"), text, 512));
    const std::string line_at_cut = filler(16'380) + "cut\n" + filler(1000);   // the piece ends behind the line end
    EXPECT_FALSE(matches(spec_of("cut$"), line_at_cut, 512));
    EXPECT_TRUE(matches(spec_of("cut$", {"multiline"}), line_at_cut, 512));
    EXPECT_FALSE(matches(spec_of("cut\\Z"), line_at_cut, 512));
}

TEST(RegexSearch, OffsetsBoundWhereAMatchBegins) {
    RegexSpec spec = spec_of("x");
    const std::string text = "0x2345x789";
    spec.min_offset = 2;
    spec.max_offset = 5;
    EXPECT_FALSE(matches(spec, text));
    spec.max_offset = 6;
    EXPECT_TRUE(matches(spec, text));
    spec.min_offset = 7;
    EXPECT_FALSE(matches(spec, text));
    spec.min_offset = 1;
    spec.max_offset = 1;
    EXPECT_TRUE(matches(spec, text));
    spec.min_offset = 100;
    spec.max_offset = std::nullopt;
    EXPECT_FALSE(matches(spec, text));
}

TEST(RegexSearch, OffsetsCountFromTheBeginningOfTheText) {
    RegexSpec spec = spec_of("x");
    const std::string text = filler(50'000) + "x" + filler(50'000);
    for (const std::size_t size : {1000u, 100'001u}) {
        spec.min_offset = 50'000;
        spec.max_offset = 50'000;
        EXPECT_TRUE(matches(spec, text, size));
        spec.min_offset = 0;
        spec.max_offset = 49'999;
        EXPECT_FALSE(matches(spec, text, size));
        spec.min_offset = 50'001;
        spec.max_offset = std::nullopt;
        EXPECT_FALSE(matches(spec, text, size));
    }
}

TEST(RegexSearch, PastTheLastOffsetIsSettled) {
    RegexSpec spec = spec_of("x");
    spec.max_offset = 10;
    RegexSearch search(*Regex::compile(spec), spec);
    search.on_text(filler(100'000));
    EXPECT_TRUE(search.is_settled());
    EXPECT_FALSE(search.has_matched());
}

TEST(RegexSearch, WhatIsNotUtf8IsNoError) {
    const std::string text = "\xff\xfe\xc3 caf\xc3\xa9 \xf0\x9f";
    EXPECT_TRUE(matches(spec_of("caf\\x{e9}", {"utf"}), text));
    EXPECT_TRUE(matches(spec_of("caf\\x{e9}", {"utf"}), text, 1));
    const std::string cut = filler(16'383) + "\xc3\xa9" + filler(1000);
    EXPECT_TRUE(matches(spec_of("\\x{e9}", {"utf"}), cut, 512));
}

TEST(RegexSearch, AMatchInFrontOfWhatIsNotUtf8IsFoundAlsoInPieces) {
    const RegexSpec spec = spec_of("a.{1,300}b", {"utf"});
    // Not UTF-8: a lone octet, too long a form, a surrogate, more than U+10FFFF, a lone first octet.
    for (const char* const broken : {"\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x80\x80\x80", "\xc3", "\x80"}) {
        const std::string text = "axb" + std::string(broken) + filler(20'000) + "a" + broken + filler(100);
        EXPECT_TRUE(matches(spec, text, 1000)) << text.substr(3, 6);
        EXPECT_FALSE(matches(spec, "ax" + std::string(broken) + "b" + filler(20'000), 1000));   // no match across it
    }
    const std::string unbroken = "ax\xf4\x8f\xbf\xbf\xed\x9f\xbf\xc2\x80" + filler(200) + "b";
    EXPECT_TRUE(matches(spec, filler(16'384) + unbroken + filler(20'000), 1000));
}

TEST(RegexSearch, AMatchWithoutEndIsGivenUp) {
    const RegexSearch given_up = search(spec_of("-.*x", {"dotall"}), filler(1'000'000), 4096);
    EXPECT_FALSE(given_up.has_matched());
    EXPECT_FALSE(given_up.error().empty());
}

TEST(RegexSearch, ABadTemperCostsAnErrorAndNotTheProcess) {
    const RegexSearch given_up = search(spec_of("(a|a?)+$"), std::string(40, 'a') + "b", 100);
    EXPECT_FALSE(given_up.has_matched());
    EXPECT_FALSE(given_up.error().empty());
}

TEST(RegexSearch, PiecesMakeNoDifference) {
    std::mt19937 random(7);
    const char* const patterns[] = {"ab+c", "(?<=a)b", "^b", "b$", "a.c", "\\bab\\b", "(a|b)c\\n", "c{2,3}"};
    for (int round = 0; round < 300; ++round) {
        std::string text = filler(16'384 - 8);
        for (int i = 0; i < 16; ++i) text += "abc\n -"[random() % 6];
        const RegexSpec spec = spec_of(patterns[random() % 8]);
        EXPECT_EQ(matches(spec, text, 1 + random() % 64), matches(spec, text)) << spec.pattern << " in ..." << text.substr(16'376);
    }
}
