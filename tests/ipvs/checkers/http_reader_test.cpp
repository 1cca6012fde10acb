#include "ipvs/checkers/http_reader.h"

#include <gtest/gtest.h>

using namespace vigil::checkers;
using State = HttpReader::State;

namespace {

struct Listener : HttpListener {
    void on_status(unsigned code) override { status = code; }
    void on_body(std::string_view octets) override { body += octets; }
    void on_end() override { ++ends; }
    bool is_settled() const override { return false; }

    unsigned status = 0;
    std::string body;
    int ends = 0;
};

struct Reading {
    Listener listener;
    HttpReader reader{listener};

    /// In pieces of `size`, without the end of the connection.
    State read(std::string_view text, std::size_t size = 100'000) {
        for (std::size_t at = 0; at < text.size(); at += size) reader.on_octets(text.substr(at, size));
        return reader.state();
    }
};

}  // namespace

TEST(HttpReader, ReadsABodyOfKnownLengthInPiecesOfAnySize) {
    for (const std::size_t size : {1u, 2u, 3u, 17u, 1000u}) {
        Reading reading;
        EXPECT_EQ(reading.read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: x\r\n\r\nhello", size), State::complete) << reading.reader.error();
        EXPECT_EQ(reading.listener.status, 200u);
        EXPECT_EQ(reading.listener.body, "hello");
        EXPECT_EQ(reading.listener.ends, 1);
    }
}

TEST(HttpReader, ReadsChunks) {
    for (const std::size_t size : {1u, 5u, 1000u}) {
        Reading reading;
        EXPECT_EQ(reading.read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: t\r\n\r\n", size), State::complete);
        EXPECT_EQ(reading.listener.body, "hello world");
    }
}

TEST(HttpReader, ABodyOfUnknownLengthEndsWithTheConnection) {
    Reading reading;
    EXPECT_EQ(reading.read("HTTP/1.0 404 Not Found\r\n\r\nsorry", 3), State::reading);
    EXPECT_EQ(reading.reader.on_end(), State::complete);
    EXPECT_EQ(reading.listener.status, 404u);
    EXPECT_EQ(reading.listener.body, "sorry");
}

TEST(HttpReader, AnswersWithoutBodyAreCompleteWithTheHeader) {
    Reading reading;
    EXPECT_EQ(reading.read("HTTP/1.1 204 No Content\r\n\r\n"), State::complete);
    Reading empty;
    EXPECT_EQ(empty.read("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), State::complete);
}

TEST(HttpReader, InterimAnswersAreSkippedAndCounted) {
    Reading reading;
    EXPECT_EQ(reading.read("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", 4), State::complete);
    EXPECT_EQ(reading.listener.status, 200u);
    Reading endless;
    for (int i = 0; i < 9; ++i) endless.read("HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(endless.reader.state(), State::broken);
    EXPECT_EQ(endless.reader.error(), "more than 8 interim answers");
}

TEST(HttpReader, AStatusLineMayEndWithItsCode) {
    for (const std::size_t size : {1u, 5u, 12u, 13u, 1000u}) {
        Reading reading;
        EXPECT_EQ(reading.read("HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", size), State::complete) << reading.reader.error();
        EXPECT_EQ(reading.listener.status, 200u);
        EXPECT_EQ(reading.listener.body, "hello");
    }
    for (const char* const wrong : {"HTTP/1.1 20\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 2000\r\n\r\n", "HTTP/2.0 200\r\n\r\n", "x"}) {
        Reading reading;
        reading.read(wrong);
        reading.reader.on_end();
        EXPECT_EQ(reading.reader.state(), State::broken) << wrong;
    }
}

TEST(HttpReader, ClosingEarlyBreaks) {
    Reading nothing;
    nothing.reader.on_end();
    EXPECT_EQ(nothing.reader.error(), "the connection was closed without an answer");
    Reading header;
    header.read("HTTP/1.1 200 O");
    header.reader.on_end();
    EXPECT_EQ(header.reader.error(), "the connection was closed within the header");
    Reading body;
    body.read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell");
    body.reader.on_end();
    EXPECT_EQ(body.reader.error(), "the connection was closed before the body was complete");
    Reading chunk;
    chunk.read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    chunk.reader.on_end();
    EXPECT_EQ(chunk.reader.state(), State::broken);
    EXPECT_EQ(chunk.listener.ends, 0);
}

TEST(HttpReader, OtherProtocolsBreak) {
    Reading reading;
    reading.read("220 mail.example ESMTP\r\n");
    EXPECT_EQ(reading.reader.state(), State::broken);
    EXPECT_EQ(reading.reader.error(), "this is not HTTP: bad version");
    Reading status;
    status.read("HTTP/1.1 2x0 OK\r\n\r\n");
    EXPECT_EQ(status.reader.error(), "this is not HTTP: bad status");
}

TEST(HttpReader, AnEndlessHeaderBreaks) {
    Reading reading;
    reading.read("HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 100'000 && reading.reader.state() == State::reading; ++i) reading.read("X-More: and more\r\n");
    EXPECT_EQ(reading.reader.error(), "the header has more than 64 KiB");
    Reading line;
    for (int i = 0; i < 1000 && line.reader.state() == State::reading; ++i) line.read(std::string(1000, 'x').insert(0, i == 0 ? "HTTP/1.1 200 " : ""));
    EXPECT_EQ(line.reader.state(), State::broken);
}

TEST(HttpReader, AnEndlessChunkSizeLineBreaks) {
    Reading reading;
    reading.read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;");
    int pieces = 0;
    for (; pieces < 10'000 && reading.reader.state() == State::reading; ++pieces) reading.read(std::string(1000, 'x'));
    EXPECT_EQ(reading.reader.state(), State::broken);
    EXPECT_LT(pieces, 100);
}

TEST(HttpReader, WhatComesBehindTheAnswerIsNotItsBody) {
    Reading reading;
    reading.read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcdef");
    EXPECT_EQ(reading.listener.body, "ab");
    EXPECT_EQ(reading.read("more"), State::complete);
    EXPECT_EQ(reading.listener.ends, 1);
}

TEST(HttpRequest, IsWhatKeepalivedSends) {
    EXPECT_EQ(write_request("/a?b", "h:80", HttpProtocol::http_1_0), "GET /a?b HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: h:80\r\n\r\n");
    EXPECT_EQ(write_request("/", "h", HttpProtocol::http_1_0_close), "GET / HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: h\r\n\r\n");
    EXPECT_EQ(write_request("/", "h", HttpProtocol::http_1_1), "GET / HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: h\r\n\r\n");
}
