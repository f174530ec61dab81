using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Godwit.Fixtures;
using Shouldly;
using Xunit;

namespace Godwit.Server.Tests.Service;

/// <summary>The script by which a container knows whether it is well.</summary>
public sealed class HealthcheckTests(RealEngine real) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("godwit-healthcheck-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_server_that_serves_is_well_with_a_certificate_and_without_and_none_is_not()
    {
        await using var plain = await ServerFixture.StartAsync(real.Engine, new ServerSetup { RunsWorker = false });
        await using var secured = await ServerFixture.StartAsync(real.Engine, new ServerSetup { RunsWorker = false, Options = o => o with { CertificateFile = Certificate() } });

        (await CheckAsync(plain.Url.Port)).ShouldBe(0);
        (await CheckAsync(secured.Url.Port)).ShouldBe(0);
        (await CheckAsync(ServeProcess.FreePort())).ShouldBe(1);
    }

    [Fact]
    public async Task A_server_whose_store_is_away_is_not_well()
    {
        await using var postgres = await Fixtures.PostgresFixture.StartAsync();
        await using var server = await ServerFixture.StartAsync(real.Engine, new ServerSetup { RunsWorker = false, State = postgres.Url });
        (await CheckAsync(server.Url.Port)).ShouldBe(0);

        await postgres.StopAsync();

        (await CheckAsync(server.Url.Port)).ShouldBe(1);
    }

    private static async Task<int> CheckAsync(int port)
    {
        var start = new ProcessStartInfo("/bin/bash", [Repository.File("packaging", "healthcheck.sh")]);
        start.Environment["GODWIT_PORT"] = port.ToString(CultureInfo.InvariantCulture);
        using var script = Process.Start(start)!;
        await script.WaitForExitAsync(Ct);
        return script.ExitCode;
    }

    private string Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        var request = new CertificateRequest("CN=godwit", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var file = Path.Combine(_folder, "godwit.pem");
        File.WriteAllText(file, $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
        return file;
    }
}
