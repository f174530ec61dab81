using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Godwit.Metadata.Accounts;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Api;

/// <summary>What the API answered.</summary>
internal sealed record Answer(HttpStatusCode Status, string Text, HttpResponseHeaders Headers, string? ContentType)
{
    /// <summary>The document.</summary>
    public JsonElement Json => JsonDocument.Parse(Text).RootElement;

    /// <summary>A text of the document, or its JSON.</summary>
    public string? this[string name] => Json.GetProperty(name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : Json.GetProperty(name) is { ValueKind: JsonValueKind.Null } ? null : Json.GetProperty(name).GetRawText();

    /// <summary>The items of a page.</summary>
    public IReadOnlyList<JsonElement> Items => [.. Json.GetProperty("items").EnumerateArray()];

    /// <summary>Fails with what was said when it is another status.</summary>
    public Answer ShouldBe(HttpStatusCode status)
    {
        Status.ShouldBe(status, Text);
        return this;
    }

    /// <summary>It must be a refusal as the API makes them, with these words in its detail.</summary>
    public Answer ShouldRefuse(HttpStatusCode status, string words)
    {
        ShouldBe(status);
        ContentType.ShouldBe("application/problem+json");
        Json.GetProperty("status").GetInt32().ShouldBe((int)status);
        this["detail"]!.ShouldContain(words);
        Json.GetProperty("problems").GetArrayLength().ShouldBeGreaterThan(0);
        return this;
    }
}

/// <summary>A program that calls the API.</summary>
internal sealed class ApiCaller(HttpClient client) : IDisposable
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public HttpClient Http => client;

    public static async Task<ApiCaller> OfAsync(ServerFixture server, Role role) => new(await server.ClientAsync(role));

    public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null, null);

    public Task<Answer> PostAsync(string path, object? body = null, string? key = "") => SendAsync(HttpMethod.Post, path, body, key);

    public Task<Answer> PutAsync(string path, object? body = null, string? key = "") => SendAsync(HttpMethod.Put, path, body, key);

    public Task<Answer> DeleteAsync(string path, string? key = "") => SendAsync(HttpMethod.Delete, path, null, key);

    /// <summary>Sends a request.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">Below /api/v1.</param>
    /// <param name="body">A JSON text, or what is to be one; null for none.</param>
    /// <param name="key">The idempotency key; empty for a new one, null for none.</param>
    public Task<Answer> SendAsync(HttpMethod method, string path, object? body, string? key) => SendAsync(Request(method, path, body, key));

    public static HttpRequestMessage Request(HttpMethod method, string path, object? body, string? key)
    {
        var request = new HttpRequestMessage(method, new Uri($"/api/v1{path}", UriKind.Relative));
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key.Length == 0 ? Guid.NewGuid().ToString() : key);
        }

        request.Content = body is null ? null : new StringContent(body as string ?? JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        return request;
    }

    public async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using (request)
        {
            using var response = await client.SendAsync(request, Ct);
            return new Answer(response.StatusCode, await response.Content.ReadAsStringAsync(Ct), response.Headers, response.Content.Headers.ContentType?.MediaType);
        }
    }

    /// <summary>Everything of a list, page by page.</summary>
    public async Task<IReadOnlyList<JsonElement>> AllAsync(string path, int limit = 1000)
    {
        List<JsonElement> all = [];
        string? cursor = null;
        do
        {
            var page = (await GetAsync($"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}limit={limit}{(cursor is null ? "" : $"&cursor={cursor}")}")).ShouldBe(HttpStatusCode.OK);
            page.Items.Count.ShouldBeLessThanOrEqualTo(limit);
            all.AddRange(page.Items);
            cursor = page["next"];
        }
        while (cursor is not null);

        return all;
    }

    public void Dispose() => client.Dispose();
}
