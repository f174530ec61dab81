using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Godwit.Tests.Notifications;

/// <summary>A receiver of webhooks over real HTTP, which keeps what it gets.</summary>
internal sealed class HookSink : SinkServer
{
    private readonly ConcurrentQueue<HookCall> _calls = new();

    /// <summary>The whole answer; null to say nothing until the client gives up.</summary>
    public Func<HookCall, string?> Answer { get; set; } = _ => Say(200, "ok");

    /// <summary>For HTTPS.</summary>
    public X509Certificate2? Certificate { get; init; }

    public Uri Url => new($"{(Certificate is null ? "http" : "https")}://127.0.0.1:{Port}/hook/S3CRET");

    public IReadOnlyList<HookCall> Calls => [.. _calls];

    /// <summary>The events of the documents, in order.</summary>
    public IReadOnlyList<string> Events => [.. Calls.Select(c => c.Document().GetProperty("event").GetString()!)];

    public static string Say(int status, string body, string headers = "") =>
        $"HTTP/1.1 {status} Words\r\n{headers}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n{body}";

    protected override async Task TalkAsync(Stream client)
    {
        await using var stream = Certificate is null ? client : await TlsAsync(client, Certificate, End);
        var first = await LineAsync(stream);
        if (first?.Contains(" HTTP/1.", StringComparison.Ordinal) != true)
        {
            await SayAsync(stream, Say(400, "no HTTP"));
            return;
        }

        Dictionary<string, string> headers = new(StringComparer.OrdinalIgnoreCase);
        while (await LineAsync(stream) is { Length: > 0 } header)
        {
            headers[header.Split(": ")[0]] = header.Split(": ")[1];
        }

        var body = new byte[int.Parse(headers.GetValueOrDefault("Content-Length", "0"), null)];
        await stream.ReadExactlyAsync(body, End);
        HookCall call = new(first, headers, Encoding.UTF8.GetString(body));
        _calls.Enqueue(call);
        if (Answer(call) is { } answer)
        {
            await SayAsync(stream, answer);
        }
        else
        {
            await LineAsync(stream);
        }
    }
}

/// <summary>A request.</summary>
/// <param name="First">Method, path and protocol.</param>
/// <param name="Headers">The headers.</param>
/// <param name="Body">The body.</param>
internal sealed record HookCall(string First, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public JsonElement Document() => JsonElement.Parse(Body);
}
