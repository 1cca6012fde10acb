#include <gtest/gtest.h>

#include "config_fixture.h"
#include "config/words.h"

namespace vigil::config::test {

TEST(Comments, StartAtHashAndAtExclamationMarkAnywhereOnTheLine) {
    EXPECT_EQ(preprocess("# one\n! two\nstate MASTER # three\npriority 100!four\n").lines, (Lines{"state MASTER", "priority 100"}));
}

TEST(Comments, DoNotStartInsideQuotes) { EXPECT_EQ(preprocess("auth_pass \"a#b!c\" # d\n").lines, (Lines{"auth_pass \"a#b!c\""})); }

TEST(Comments, BackslashMakesTheCharacterLiteral) { EXPECT_EQ(preprocess("auth_pass a\\#b\\!c#d\n").lines, (Lines{"auth_pass a#b!c"})); }

TEST(Comments, MayHoldTextThatWasEncodedTwice) {
    // U+914D in UTF-8 taken for Latin-1 and encoded again: what copied pages are full of.
    EXPECT_EQ(preprocess("priority 100 # \xC3\xA9\xC2\x85\xC2\x8D\n").lines, (Lines{"priority 100"}));
}

TEST(Lines, CarriageReturnsAndBlanksAtTheEndsAreDropped) {
    EXPECT_EQ(preprocess("  state MASTER \t\r\n\r\n").lines, (Lines{"state MASTER"}));
}

TEST(Lines, TheLastOneNeedsNoNewline) { EXPECT_EQ(preprocess("state MASTER").lines, (Lines{"state MASTER"})); }

TEST(Lines, AByteOrderMarkIsPassedOver) { EXPECT_EQ(preprocess("\xEF\xBB\xBFglobal_defs {\n").lines, (Lines{"global_defs {"})); }

TEST(Lines, OneWithANulOctetIsReportedAndIgnored) {
    const Preprocessed result = preprocess(std::string_view("state\0 MASTER\npriority 1\n", 25));
    EXPECT_EQ(result.lines, (Lines{"priority 1"}));
    EXPECT_EQ(result.diagnostics.count(Severity::error), 1u);
}

TEST(Lines, OneOf1023OctetsIsRead) {
    const std::string line = "router_id " + std::string(1013, 'x');
    EXPECT_EQ(preprocess(line + "\n").lines, (Lines{line}));
}

TEST(Lines, OneOf1024OctetsIsReportedAndIgnored) {
    const Preprocessed result = preprocess("router_id " + std::string(1014, 'x') + "\npriority 1\n");
    EXPECT_EQ(result.lines, (Lines{"priority 1"}));
    ASSERT_EQ(result.diagnostics.count(Severity::error), 1u);
    EXPECT_NE(result.diagnostics.all()[0].message.find("longer than 1023"), std::string::npos);
}

TEST(Words, AreEndedByAQuoteToo) {
    const LoadResult result = load_string(instance_with("track_interface {\n eth1\"weight\" 5\n}"));
    ASSERT_EQ(result.configuration.instances.size(), 1u);
    ASSERT_EQ(result.configuration.instances[0].track_interfaces.size(), 1u);
    EXPECT_EQ(result.configuration.instances[0].track_interfaces[0].name, "eth1");
    EXPECT_EQ(result.configuration.instances[0].track_interfaces[0].weight, 5);
}

TEST(Words, QuotesKeepBlanksAndBraces) {
    const LoadResult result = load_string("global_defs {\n router_id \"a { b } c\"\n}\n");
    EXPECT_EQ(result.configuration.global.router_id, "a { b } c");
    EXPECT_EQ(summary(result), "");
}

TEST(Words, AnUnterminatedQuoteIsReportedAndTakenToTheEndOfTheLine) {
    const LoadResult result = load_string("global_defs {\n router_id \"a b\n}\n");
    EXPECT_EQ(result.configuration.global.router_id, "a b");
    EXPECT_NE(summary(result).find("warning 2:12 the closing '\"' is missing"), std::string::npos);
}

TEST(Words, FormFeedAndVerticalTabSeparate) {
    EXPECT_EQ(load_string("global_defs {\n router_id\v\fa\n}\n").configuration.global.router_id, "a");
}

TEST(CommandWords, BothQuotesQuoteAndPiecesThatTouchAreOneWord) {
    EXPECT_EQ(split_command("/bin/a 'b c'\"d e\"f"), (std::vector<std::string>{"/bin/a", "b cd ef"}));
}

TEST(CommandWords, EscapesAreCharacters) {
    EXPECT_EQ(split_command("\\a\\b\\E\\f\\n\\r\\t\\v \\101\\x42\\x4 \\cA \\q\\ z"),
              (std::vector<std::string>{"\a\b\x1b\f\n\r\t\v", "AB\x04", "\x01", "q z"}));
}

TEST(CommandWords, AnEmptyPairOfQuotesIsAnEmptyWord) { EXPECT_EQ(split_command("a '' b"), (std::vector<std::string>{"a", "", "b"})); }

TEST(CommandWords, TheCommandIsOneQuotedWordAndUserAndGroupFollow) {
    const LoadResult result = load_string(instance_with("notify_master \"/bin/a 'b c' d\" joe :wheel"));
    const NotifyScript* script = find_script(result.configuration.instances.at(0), ScriptEvent::master);
    ASSERT_NE(script, nullptr);
    EXPECT_EQ(split_command(script->command), (std::vector<std::string>{"/bin/a", "b c", "d"}));
    EXPECT_EQ(script->user, "joe");
    EXPECT_EQ(script->group, "wheel");
}

TEST(CommandWords, AreSplitTwiceAsKeepalivedDoes) {
    const auto arguments = [](const std::string& line) {
        const LoadResult result = load_string(instance_with(line));
        EXPECT_EQ(summary(result), "") << line;
        std::vector<std::string> words = split_command(result.configuration.instances.at(0).scripts.at(0).command);
        // What the dump says reads back to the same.
        const LoadResult again = load_string(dump(result.configuration));
        EXPECT_EQ(split_command(again.configuration.instances.at(0).scripts.at(0).command), words) << line;
        return words;
    };
    using Words = std::vector<std::string>;
    EXPECT_EQ(arguments("notify \"/a 3 \\\"a b\\\" c\""), (Words{"/a", "3", "a b", "c"}));
    EXPECT_EQ(arguments("notify \"/a {x} \\\"{b} c\\\"\" root"), (Words{"/a", "{x}", "{b} c"}));
    EXPECT_EQ(arguments("notify /a\" 7 a\""), (Words{"/a", "7", "a"}));
    EXPECT_EQ(arguments("notify \"/a 8 a\\x41 \\\\n \\n b\""), (Words{"/a", "8", "aA", "\n", "b"}));
    EXPECT_EQ(arguments("notify \"/a 11 \\\"x # y ! z\\\"\""), (Words{"/a", "11", "x # y ! z"}));
    EXPECT_EQ(arguments("notify \"/a 12 '' \\\"\\\" z\""), (Words{"/a", "12", "", "", "z"}));
    EXPECT_EQ(arguments("notify \"/a 13 \\\\\\\"q\\\\\\\" z\""), (Words{"/a", "13", "\"q\"", "z"}));
    EXPECT_EQ(arguments("notify /a\\ 14\\ x"), (Words{"/a", "14", "x"}));
    EXPECT_EQ(arguments("notify \"/a 17 a\\tb c\\\\tb\""), (Words{"/a", "17", "a", "b", "c\tb"}));
}

TEST(CommandWords, UnquotedArgumentsAreWarnedAbout) {
    const LoadResult result = load_string(instance_with("notify_master /bin/a -x"));
    EXPECT_NE(summary(result).find("only '/bin/a' is the command"), std::string::npos);
}

}  // namespace vigil::config::test
