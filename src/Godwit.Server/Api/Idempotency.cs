using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Godwit.Metadata.Accounts;
using Godwit.Runs;
using Godwit.Server.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace Godwit.Server.Api;

/// <summary>
/// Lets a change be made once however often it is sent: the answer to a key is kept for a day and given again. Only what was done is kept: what was
/// refused has changed nothing, and may be sent again with the same key.
/// </summary>
internal sealed class Idempotency(IAccountStore store, TimeProvider clock)
{
    /// <summary>The header that names the request.</summary>
    public const string Header = "Idempotency-Key";

    /// <summary>The header of an answer that was given before.</summary>
    public const string Replayed = "Idempotency-Replayed";

    private const int LongestKey = 200;

    /// <summary>What is wrong with the key of a request.</summary>
    public static IEnumerable<string> Problems(HttpRequest request)
    {
        var values = request.Headers[Header];
        if (values.Count == 0)
        {
            yield return $"Send the header {Header} with something of your own, such as a UUID: it keeps this from being done twice when you send it again.";
        }
        else if (values.Count > 1 || values[0] is not { Length: >= 1 and <= LongestKey } key || !key.All(c => c is >= ' ' and <= '~'))
        {
            yield return $"{Header} must be 1 to {LongestKey} printable ASCII characters.";
        }
    }

    /// <summary>Says what is to be kept of an answer that holds a secret.</summary>
    public static void KeepInstead(HttpContext http, object answer) => http.Items[typeof(Idempotency)] = answer;

    /// <summary>Does it, or gives the answer that was given before.</summary>
    /// <exception cref="KeyTakenException">The key came with another request before.</exception>
    /// <exception cref="WrongStateException">It is being done.</exception>
    public async Task OnceAsync(HttpContext http, byte[] body, RequestDelegate next)
    {
        // Whoever hangs up gets the answer when it asks again: a change that has begun is not cut off in the middle.
        http.RequestAborted = CancellationToken.None;
        var (who, key) = (http.User.FindFirstValue(Policies.TokenClaim)!, http.Request.Headers[Header].ToString());
        var request = Fingerprint(http.Request, body);
        if (await store.BeginAnswerAsync(who, key, request, clock.GetUtcNow()) is { } before)
        {
            await RepeatAsync(http, before, request);
            return;
        }

        byte[] answer;
        string kept;
        try
        {
            (answer, kept) = await AnswerAsync(http, next);
        }
        catch
        {
            await store.EndAnswerAsync(who, key, null, null);
            throw;
        }

        // When this cannot be written the key stays as it is: what was done must not be done again.
        var isDone = http.Response.StatusCode < StatusCodes.Status300MultipleChoices;
        await store.EndAnswerAsync(who, key, isDone ? http.Response.StatusCode : null, isDone ? JsonSerializer.Serialize(new KeptAnswer(http.Response.Headers.Location, kept)) : null);
        if (answer.Length > 0)
        {
            await http.Response.Body.WriteAsync(answer);
        }
    }

    private static async Task<(byte[] Answer, string Kept)> AnswerAsync(HttpContext http, RequestDelegate next)
    {
        var wire = http.Response.Body;
        using var buffer = new MemoryStream();
        http.Response.Body = buffer;
        try
        {
            await next(http);
        }
        finally
        {
            http.Response.Body = wire;
        }

        var answer = buffer.ToArray();
        return (answer, http.Items.TryGetValue(typeof(Idempotency), out var instead) ? JsonSerializer.Serialize(instead, ApiJson.Options) : Encoding.UTF8.GetString(answer));
    }

    private static async Task RepeatAsync(HttpContext http, AnswerRecord before, string request)
    {
        if (before.Request != request)
        {
            throw new KeyTakenException($"This {Header} came with another request before. Take another key for another request.");
        }

        if (before.Status is not { } status)
        {
            http.Response.Headers.RetryAfter = "1";
            throw new WrongStateException(
                $"A request with this {Header} is being answered; ask again in a moment. When that never ends, the server was ended in the midst of it: look whether it was done, then send it with another key.");
        }

        var kept = JsonSerializer.Deserialize<KeptAnswer>(before.Body!)!;
        http.Response.StatusCode = status;
        http.Response.Headers.Location = kept.Location;
        http.Response.Headers[Replayed] = "true";
        if (kept.Body.Length > 0)
        {
            http.Response.ContentType = "application/json; charset=utf-8";
            await http.Response.WriteAsync(kept.Body);
        }
    }

    // By the caller's token: a plain hash of a body that sets a password could be used to guess it.
    private static string Fingerprint(HttpRequest request, byte[] body) => Convert.ToHexStringLower(HMACSHA256.HashData(
        Encoding.UTF8.GetBytes(request.Headers.Authorization.ToString()),
        (byte[])[.. Encoding.UTF8.GetBytes($"{request.Method} {request.GetEncodedPathAndQuery()}\n"), .. body]));

    private sealed record KeptAnswer(string? Location, string Body);
}
