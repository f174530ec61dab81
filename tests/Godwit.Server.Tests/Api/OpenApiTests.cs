using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Godwit.Metadata.Accounts;
using Godwit.Server.Api;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Api;

/// <summary>The description of the API.</summary>
public sealed class OpenApiTests(RealEngine engine) : IAsyncLifetime
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private ServerFixture _server = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await ServerFixture.StartAsync(engine.Engine, new ServerSetup { RunsWorker = false });

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task The_description_is_the_approved_one()
    {
        // GODWIT_APPROVE=1 ./test.sh writes the file anew; the difference is then read in review.
        var text = (await DocumentAsync()).ToJsonString(Indented) + "\n";
        var path = Path.Combine(Here(), "..", "..", "Approved", "openapi.json");
        if (Environment.GetEnvironmentVariable("GODWIT_APPROVE") == "1")
        {
            await File.WriteAllTextAsync(path, text, Ct);
        }

        text.ShouldBe(await File.ReadAllTextAsync(path, Ct));
    }

    [Fact]
    public async Task Every_reference_in_it_leads_somewhere_and_nothing_is_described_in_vain()
    {
        var document = await DocumentAsync();
        var references = Everything(document).OfType<JsonObject>().Select(o => o["$ref"]?.GetValue<string>()).OfType<string>().ToHashSet(StringComparer.Ordinal);

        references.Count.ShouldBeGreaterThan(20);
        foreach (var reference in references)
        {
            reference.ShouldStartWith("#/");
            reference[2..].Split('/').Aggregate((JsonNode?)document, (node, part) => node?[part]).ShouldNotBeNull(reference);
        }

        references.ShouldBe(document["components"]!["schemas"]!.AsObject().Select(s => $"#/components/schemas/{s.Key}"), ignoreOrder: true);
    }

    [Fact]
    public async Task Every_operation_has_a_name_a_summary_and_the_refusals_that_it_may_meet()
    {
        var operations = (await OperationsAsync()).ToList();
        operations.Select(o => o.Operation["operationId"]!.GetValue<string>()).ShouldBeUnique();
        foreach (var (method, path, operation) in operations)
        {
            var what = $"{method} {path}";
            operation["summary"]!.GetValue<string>().ShouldEndWith(".", Case.Sensitive, what);
            operation["tags"]!.AsArray().Count.ShouldBe(1, what);
            var responses = operation["responses"]!.AsObject();
            responses.Count(r => r.Key.StartsWith('2')).ShouldBe(1, what);
            foreach (var refusal in responses.Where(r => !r.Key.StartsWith('2')))
            {
                refusal.Value!["content"]!["application/problem+json"]!["schema"]!["$ref"]!.GetValue<string>().ShouldBe("#/components/schemas/Problem", what);
            }

            new[] { "400", "401", "503" }.ShouldBeSubsetOf(responses.Select(r => r.Key), what);
            responses.ContainsKey("404").ShouldBe(path.Contains('{', StringComparison.Ordinal), what);
            responses.ContainsKey("415").ShouldBe(operation["requestBody"] is not null, what);
            (operation["parameters"]?.AsArray() ?? []).ShouldAllBe(p => p!["description"] != null, what);
        }
    }

    [Fact]
    public async Task Every_change_takes_a_key_and_nothing_else_does()
    {
        foreach (var (method, path, operation) in await OperationsAsync())
        {
            var takesKey = (operation["parameters"]?.AsArray() ?? []).Any(p => p!["name"]!.GetValue<string>() == Idempotency.Header && p["required"]!.GetValue<bool>());
            takesKey.ShouldBe(method != "get" && path.Split('/')[^1] is not ("plan" or "estimate"), $"{method} {path}");
        }
    }

    [Fact]
    public async Task It_describes_every_call_that_there_is()
    {
        var described = (await OperationsAsync()).Select(o => $"{o.Method.ToUpperInvariant()} {o.Path}");
        var there = _server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().Where(e => e.Metadata.GetMetadata<ApiCall>() is not null)
            .SelectMany(e => e.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Select(m => $"{m} {e.RoutePattern.RawText!.TrimEnd('/')}"));
        described.ShouldBe(there, ignoreOrder: true);
    }

    [Fact]
    public async Task Examples_are_read_as_what_they_are_examples_of()
    {
        using var api = await ApiCaller.OfAsync(_server, Role.Admin);
        var examples = (await OperationsAsync()).Select(o => (o.Method, o.Path, Example: o.Operation["requestBody"]?["content"]?["application/json"]?["example"])).Where(o => o.Example is not null).ToList();
        examples.Count.ShouldBeGreaterThan(5);
        foreach (var (method, path, example) in examples)
        {
            // It may be refused for what it says, but not for how it says it.
            var answer = await api.SendAsync(new HttpMethod(method.ToUpperInvariant()), path["/api/v1".Length..].Replace("{run}", "nosuch22", StringComparison.Ordinal).Replace("{name}", "timeWindows", StringComparison.Ordinal), example!.ToJsonString(), "");
            answer.Text.ShouldNotContain("There is no field");
            answer.Text.ShouldNotContain(" must be ");
            answer.Status.ShouldNotBe(HttpStatusCode.InternalServerError);
        }
    }

    [Fact]
    public async Task It_is_read_by_anybody_who_is_logged_in_by_a_token_or_by_a_cookie_and_by_nobody_else()
    {
        using var nobody = _server.Client();
        var path = new Uri("/api/v1/openapi.json", UriKind.Relative);
        (await nobody.GetAsync(path, Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using var person = _server.Client();
        person.DefaultRequestHeaders.Add("Cookie", await _server.CookieAsync(Role.Viewer));
        (await person.GetAsync(path, Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await person.GetAsync(new Uri("/api/v1/runs", UriKind.Relative), Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        person.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "godwit_000000000000_000000000000000000000000000000000000000000000000");
        (await person.GetAsync(path, Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    private static IEnumerable<JsonNode> Everything(JsonNode node) => node switch
    {
        JsonObject o => o.Select(p => p.Value).OfType<JsonNode>().SelectMany(Everything).Prepend(o),
        JsonArray a => a.OfType<JsonNode>().SelectMany(Everything).Prepend(a),
        _ => [node],
    };

    private async Task<IEnumerable<(string Method, string Path, JsonNode Operation)>> OperationsAsync() =>
        (await DocumentAsync())["paths"]!.AsObject().SelectMany(p => p.Value!.AsObject().Select(o => (o.Key, p.Key, o.Value!)));

    private async Task<JsonNode> DocumentAsync()
    {
        using var api = await ApiCaller.OfAsync(_server, Role.Viewer);
        return JsonNode.Parse((await api.GetAsync("/openapi.json")).ShouldBe(HttpStatusCode.OK).Text)!;
    }

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
