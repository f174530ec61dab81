using Godwit.Checks;
using Microsoft.AspNetCore.Http;

namespace Godwit.Server.Api;

/// <summary>
/// What every call passes that may be made by its caller: nothing unknown behind the question mark, no body where none is read, and, when it changes
/// something, a key, so that it is done once however often it is sent.
/// </summary>
internal sealed class ApiGate(RequestDelegate next, Idempotency idempotency)
{
    public async Task InvokeAsync(HttpContext http)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<ApiCall>() is not { } call)
        {
            await next(http);
            return;
        }

        List<string> problems = [.. call.Problems(http.Request.Query), .. call.IsChange ? Idempotency.Problems(http.Request) : []];
        if (problems.Count > 0)
        {
            throw new InvalidRequestException(problems);
        }

        if (!call.IsChange)
        {
            await next(http);
            return;
        }

        var body = await ReadAsync(http);
        if (body.Length > 0 && !call.HasBody)
        {
            throw new InvalidRequestException(["This takes no body."]);
        }

        await idempotency.OnceAsync(http, body, next);
    }

    // Before anything is held or stored: who sends slowly, or too much, only holds a connection.
    private static async Task<byte[]> ReadAsync(HttpContext http)
    {
        using var bytes = new MemoryStream();
        await http.Request.Body.CopyToAsync(bytes, http.RequestAborted);
        var body = bytes.ToArray();
        http.Request.Body = new MemoryStream(body);
        return body;
    }
}
