using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Godwit.Metadata.Accounts;
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

    private async Task<JsonNode> DocumentAsync()
    {
        using var api = await ApiCaller.OfAsync(_server, Role.Viewer);
        return JsonNode.Parse((await api.GetAsync("/openapi.json")).ShouldBe(HttpStatusCode.OK).Text)!;
    }

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
