using System.Text;
using System.Text.Json;
using Godwit.Notifications;
using Godwit.Plans;
using Godwit.Runs;
using Godwit.Tests.Metadata;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Notifications;

/// <summary>What people are told, when, and in which words.</summary>
public sealed class NotificationTests
{
    /// <summary>A change of state, and what people are told.</summary>
    public static TheoryData<RunState, RunState, string?> Changes => new()
    {
        { RunState.NotStarted, RunState.Starting, null },
        { RunState.Starting, RunState.Running, "Started" },
        { RunState.Starting, RunState.FailedAtStartup, "Failed" },
        { RunState.Running, RunState.Paused, "Paused" },
        { RunState.AwaitingCutover, RunState.Paused, "Paused" },
        { RunState.Paused, RunState.Running, "Resumed" },
        { RunState.Failed, RunState.Running, "Resumed" },
        { RunState.NeedsOperator, RunState.Running, "Resumed" },
        { RunState.Running, RunState.AwaitingCutover, "AwaitingCutover" },
        { RunState.AwaitingCutover, RunState.Running, null },
        { RunState.Running, RunState.Completed, "Completed" },
        { RunState.Completed, RunState.Completed, null },
        { RunState.Running, RunState.Failed, "Failed" },
        { RunState.RollingBack, RunState.Failed, "Failed" },
        { RunState.Running, RunState.NeedsOperator, "NeedsOperator" },
        { RunState.Completed, RunState.RollingBack, "RollingBack" },
        { RunState.RollingBack, RunState.RolledBack, "RolledBack" },
        { RunState.Running, RunState.Running, null },
    };

    /// <summary>An event in a state, and the words for it.</summary>
    public static TheoryData<string, RunState, string, string?> Words => new()
    {
        { "Started", RunState.Running, "Migration 0007_country has started on host:8123 (run k3f9a2b1).", null },
        { "Paused", RunState.Paused, "Migration 0007_country is paused on", "`godwit resume k3f9a2b1` goes on" },
        { "Resumed", RunState.Running, "Migration 0007_country goes on on host", null },
        { "AwaitingCutover", RunState.AwaitingCutover, "waits for its cutover on", "`godwit cutover k3f9a2b1` lets it go on" },
        { "Completed", RunState.Completed, "is completed on", "`godwit rollback k3f9a2b1` undoes it until 2026-05-05 12:00:00 UTC; `godwit cleanup k3f9a2b1` ends that sooner." },
        { "Failed", RunState.Failed, "has failed on", "`godwit resume k3f9a2b1` tries again" },
        { "Failed", RunState.FailedAtStartup, "was refused before its first step on", "Nothing was changed." },
        { "Failed", RunState.Completed, "could not do what was asked of it, and stays Completed, on", "`godwit status k3f9a2b1`" },
        { "NeedsOperator", RunState.NeedsOperator, "needs an operator on", "`godwit errors k3f9a2b1`" },
        { "RollingBack", RunState.RollingBack, "is being rolled back on", null },
        { "RolledBack", RunState.RolledBack, "was rolled back on", null },
    };

    /// <summary>Names and problems that would like to be more than text.</summary>
    public static TheoryData<string> Hostile => new()
    {
        "a\r\nBcc: eve@example.com\r\n\r\nHello",
        "a\nX: y",
        "<!channel> & <https://evil.example|click>",
        "=?utf-8?B?QkFE?=",
        "\u202Eevil\u001b[2J",
        ".\r\n.\r\nQUIT\r\n",
        "Größe 数据 🚀 " + new string('x', 500),
        new string('"', 3000),
        "\ud800 alone",
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Each_change_of_state_that_people_care_about_is_told_once(RunState before, RunState now, string? what) =>
        NotificationEvents.Of(before, now)?.ToString().ShouldBe(what);

    [Theory]
    [MemberData(nameof(Words))]
    public void The_words_say_what_happened_and_what_can_be_done(string what, RunState state, string message, string? next)
    {
        var run = NotifySamples.Run(state) with { RollbackUntil = new DateTimeOffset(2026, 5, 5, 12, 0, 0, TimeSpan.Zero) };

        var told = Notification.Of(Enum.Parse<NotificationEvent>(what), RunState.Running, run, StoreSamples.Noon);

        told.Message.ShouldContain(message);
        (told.Next ?? "").ShouldContain(next ?? "");
        (told.Next is null).ShouldBe(next is null);
    }

    [Fact]
    public void A_rebuild_by_hand_is_named_after_its_tables() =>
        Notification.Of(NotificationEvent.Started, RunState.Starting, NotifySamples.Run(RunState.Running, null, Plan.ByHand, "app.events"), StoreSamples.Noon)
            .Message.ShouldBe("Rebuild of app.events has started on host:8123 (run k3f9a2b1).");

    [Fact]
    public void The_document_is_the_contract_with_receivers() => HookSender.Body(Hook(), NotifySamples.Failed()).ShouldBe(
        """
        {"event":"failed","runId":"k3f9a2b1","migration":"0007_country","tables":["app.events"],"instance":"host:8123","state":"Failed","previousState":"Running","problem":"The disk is full.","message":"Migration 0007_country has failed on host:8123 (run k3f9a2b1).","next":"\u0060godwit errors k3f9a2b1\u0060 shows more; \u0060godwit resume k3f9a2b1\u0060 tries again, \u0060godwit rollback k3f9a2b1\u0060 undoes it.","at":"2026-05-04T12:00:00.123+00:00"}
        """);

    [Fact]
    public void The_document_has_all_fields_at_any_time()
    {
        var document = JsonElement.Parse(HookSender.Body(Hook(), Notification.Test("ada@laptop", StoreSamples.Noon)));

        document.EnumerateObject().Select(p => p.Name).ShouldBe(["event", "runId", "migration", "tables", "instance", "state", "previousState", "problem", "message", "next", "at"]);
        document.GetProperty("event").GetString().ShouldBe("test");
    }

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Nothing_in_a_name_or_a_problem_is_taken_for_more_than_text(string text)
    {
        var told = NotifySamples.Failed(text, text);

        told.Message.ShouldNotContain("\n");
        var slack = JsonElement.Parse(HookSender.Body(Hook("slack+"), told)).GetProperty("text").GetString()!;
        slack.ShouldNotContain("<");
        slack.ShouldNotContain("\u001b");
        slack.Length.ShouldBeLessThan(20_000);
        JsonElement.Parse(HookSender.Body(Hook(), told)).GetProperty("problem").GetString()!.Length.ShouldBeLessThan(2010);
        var mail = MailText.Of(told, "godwit@example.com", "ada@example.com,bob@example.com").Split("\r\n");
        mail.ShouldAllBe(line => line.Length <= 78 && !line.StartsWith('.') && line.All(c => c >= ' ' && c <= '~'));
        mail.TakeWhile(line => line.Length > 0).Where(line => line[0] != ' ').Select(line => line.Split(':')[0]).ShouldBe(
            ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"]);
    }

    [Fact]
    public void A_mail_can_be_read_back()
    {
        var mail = MailText.Of(NotifySamples.Failed("Größe_数据_🚀_und_noch_viel_mehr_als_in_eine_Zeile_passt"), "godwit@example.com", "ada@example.com");

        var (head, body) = (mail.Split("\r\n\r\n")[0].Replace("\r\n ", " ", StringComparison.Ordinal), mail.Split("\r\n\r\n")[1]);
        var subject = head.Split("\r\n").Single(l => l.StartsWith("Subject: ", StringComparison.Ordinal))["Subject: ".Length..];
        string.Concat(subject.Split(' ').Select(w => Text(w["=?utf-8?B?".Length..^2]))).ShouldBe(
            "[Godwit] Migration Größe_数据_🚀_und_noch_viel_mehr_als_in_eine_Zeile_passt has failed on host:8123 (run k3f9a2b1)");
        head.ShouldContain("Date: Mon, 04 May 2026 12:00:00 +0000");
        head.ShouldContain("Message-ID: <k3f9a2b1.failed.1777896000123@example.com>");
        Text(body).Split("\r\n").ShouldBe([
            "Migration Größe_数据_🚀_und_noch_viel_mehr_als_in_eine_Zeile_passt has failed on host:8123 (run k3f9a2b1).",
            "The disk is full.",
            "`godwit errors k3f9a2b1` shows more; `godwit resume k3f9a2b1` tries again, `godwit rollback k3f9a2b1` undoes it.",
            "",
            "Run        k3f9a2b1",
            "Migration  Größe_数据_🚀_und_noch_viel_mehr_als_in_eine_Zeile_passt",
            "Tables     app.events",
            "Server     host:8123",
            "State      Failed (before: Running)",
            "At         2026-05-04 12:00:00 UTC",
            "",
        ]);
    }

    [Fact]
    public void A_short_subject_is_plain() =>
        MailText.Of(Notification.Test("ada", StoreSamples.Noon), "g@example.com", "a@example.com").ShouldContain("\r\nSubject: [Godwit] This is a test of Godwit's notifications by ada\r\n");

    private static HookTarget Hook(string form = "") => (HookTarget)NotifySamples.Target($"{form}https://hooks.example/x");

    private static string Text(string base64) => Encoding.UTF8.GetString(Convert.FromBase64String(base64));
}
