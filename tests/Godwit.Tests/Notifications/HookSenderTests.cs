using System.Net;
using Godwit.Notifications;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Notifications;

/// <summary>Webhooks over real HTTP: what arrives, what is tried again, and what is said when nothing does.</summary>
public sealed class HookSenderTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>What a receiver answers, what people are told, and how often it is tried.</summary>
    public static TheoryData<string, string, int> Refusals => new()
    {
        { HookSink.Say(301, "", "Location: /elsewhere\r\n"), "it answered with HTTP 301, a redirect, which is not followed", 1 },
        { HookSink.Say(307, "", "Location: http://127.0.0.1:1/\r\n"), "it answered with HTTP 307, a redirect, which is not followed", 1 },
        { HookSink.Say(400, "invalid_payload"), "it answered with HTTP 400 (invalid_payload): check the address", 1 },
        { HookSink.Say(404, "no_service\n"), "it answered with HTTP 404 (no_service): check the address", 1 },
        { HookSink.Say(404, "Cannot POST /hook/S3CRET"), "it answered with HTTP 404: check the address", 1 },
        { HookSink.Say(404, "S3CRET"), "it answered with HTTP 404: check the address", 1 },
        { HookSink.Say(403, "<html>\u001b[2J</html>"), "it answered with HTTP 403: check the address", 1 },
        { HookSink.Say(403, new string('x', 100_000)), "it answered with HTTP 403: check the address", 1 },
        { HookSink.Say(407, ""), "the proxy asks for a login", 1 },
        { HookSink.Say(408, ""), "it answered with HTTP 408", 3 },
        { HookSink.Say(429, "rate_limited"), "it answered with HTTP 429 (rate_limited)", 3 },
        { HookSink.Say(500, ""), "it answered with HTTP 500", 3 },
        { HookSink.Say(503, "busy"), "it answered with HTTP 503 (busy)", 3 },
        { "", "the connection was lost (", 3 },
        { "SSH-2.0-OpenSSH\r\n\r\n", "the connection was lost (", 3 },
    };

    [Fact]
    public async Task A_document_arrives()
    {
        await using HookSink sink = new();

        await SendAsync($"{sink.Url}?key=S3CRET");

        var call = sink.Calls.ShouldHaveSingleItem();
        call.First.ShouldBe("POST /hook/S3CRET?key=S3CRET HTTP/1.1");
        (call.Headers["Content-Type"], call.Headers["User-Agent"]).ShouldBe(("application/json; charset=utf-8", "Godwit"));
        call.Document().GetProperty("runId").GetString().ShouldBe("k3f9a2b1");
    }

    [Fact]
    public async Task Slack_gets_its_form()
    {
        await using HookSink sink = new();

        await SendAsync($"slack+{sink.Url}");

        sink.Calls.ShouldHaveSingleItem().Document().ShouldSatisfyAllConditions(
            d => d.EnumerateObject().Count().ShouldBe(1),
            d => d.GetProperty("text").GetString().ShouldBe(
                "Migration 0007_country has failed on host:8123 (run k3f9a2b1).\nThe disk is full.\n`godwit errors k3f9a2b1` shows more; `godwit resume k3f9a2b1` tries again, `godwit rollback k3f9a2b1` undoes it."));
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_refusal_is_a_sentence_and_is_tried_again_only_where_that_may_help(string answer, string reason, int tries)
    {
        await using HookSink sink = new() { Answer = _ => answer };

        (await RefusalAsync(sink.Url.ToString())).ShouldContain(reason);

        sink.Calls.Count.ShouldBe(tries);
    }

    [Fact]
    public async Task What_passes_is_sent_again_until_it_is_taken()
    {
        await using HookSink sink = new();
        sink.Answer = _ => sink.Calls.Count < 3 ? HookSink.Say(503, "") : HookSink.Say(204, "");

        await SendAsync(sink.Url.ToString());

        sink.Calls.Select(c => c.Body).Distinct().Count().ShouldBe(1, "all tries say the same");
        sink.Calls.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_receiver_that_says_nothing_is_not_waited_for_long()
    {
        await using HookSink sink = new() { Answer = _ => null };

        var reason = await RefusalAsync(sink.Url.ToString(), NotifySamples.Quick with { Timeout = TimeSpan.FromSeconds(0.3), Pauses = [] });

        reason.ShouldBe("it did not answer within 0.3 s");
    }

    [Fact]
    public async Task Nobody_there_is_said()
    {
        HookSink sink = new();
        var url = sink.Url.ToString();
        await sink.DisposeAsync();

        (await RefusalAsync(url)).ShouldStartWith("it cannot be reached (");
        (await RefusalAsync("https://no-such-host.invalid/S3CRET")).ShouldStartWith("its host is not known (");
    }

    [Fact]
    public async Task A_certificate_must_be_vouched_for()
    {
        using var certificate = SinkServer.SelfSigned();
        await using HookSink sink = new() { Certificate = certificate };

        (await RefusalAsync(sink.Url.ToString())).ShouldStartWith("TLS with it failed (");
        sink.Calls.ShouldBeEmpty();

        await SendAsync(sink.Url.ToString(), NotifySamples.Quick with { Trust = SinkServer.Trusting(certificate) });
        sink.Calls.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Plain_words_where_TLS_was_expected_are_said()
    {
        await using HookSink sink = new();

        (await RefusalAsync(sink.Url.ToString().Replace("http", "https", StringComparison.Ordinal))).ShouldContain("check that this is an address for TLS");
    }

    [Fact]
    public async Task A_proxy_is_used_and_its_refusal_is_said()
    {
        await using HookSink proxy = new();
        var through = NotifySamples.Quick with { Proxy = new WebProxy(new Uri($"http://127.0.0.1:{proxy.Port}")) };

        await SendAsync("http://hooks.example/S3CRET", through);
        proxy.Calls.ShouldHaveSingleItem().First.ShouldBe("POST http://hooks.example/S3CRET HTTP/1.1");

        proxy.Answer = _ => HookSink.Say(403, "no");
        (await RefusalAsync("https://hooks.example/S3CRET", through)).ShouldStartWith("the proxy did not let it through (");
        proxy.Calls[^1].First.ShouldBe("CONNECT hooks.example:443 HTTP/1.1");
    }

    [Fact]
    public async Task An_address_may_stand_in_the_environment_or_in_a_file()
    {
        await using HookSink sink = new();
        var file = Path.Combine(Directory.CreateTempSubdirectory("godwit-hook-").FullName, "hook");
        await File.WriteAllTextAsync(file, $"slack+{sink.Url}\n", Ct);

        await SendAsync($"file:{file}");
        await SendAsync("env:HOOK", NotifySamples.Quick with { Variable = name => name == "HOOK" ? $" {sink.Url}\r\n" : null });

        sink.Calls.Select(c => c.Document().TryGetProperty("text", out _)).ShouldBe([true, false]);
        await File.WriteAllTextAsync(file, new string('S', 100_000), Ct);
        (await RefusalAsync($"file:{file}")).ShouldContain("is larger than 64 KiB");
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        (await RefusalAsync($"file:{file}")).ShouldContain($"the file {file} cannot be read");
        (await RefusalAsync("file:/")).ShouldContain("the file / cannot be read");
        (await RefusalAsync("env:NOWHERE")).ShouldStartWith("the environment variable NOWHERE is empty or not set for the process that sends");
        (await RefusalAsync("env:SECRET")).ShouldStartWith("what it holds cannot be notified: write https://…");
        (await RefusalAsync("env:AGAIN", NotifySamples.Quick with { Variable = _ => "env:AGAIN" })).ShouldContain("holds the name of another place");
    }

    private static Task SendAsync(string written, Delivery? delivery = null) =>
        (delivery ?? NotifySamples.Quick).SendAsync(NotifySamples.Target(written), NotifySamples.Failed(), TimeProvider.System, Ct);

    private static async Task<string> RefusalAsync(string written, Delivery? delivery = null)
    {
        var reason = (await Should.ThrowAsync<NotSentException>(SendAsync(written, delivery))).Message;
        reason.ShouldNotContain("S3CRET");
        return reason;
    }
}
