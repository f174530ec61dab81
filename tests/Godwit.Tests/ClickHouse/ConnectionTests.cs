using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Godwit.ClickHouse;
using Shouldly;
using Xunit;

namespace Godwit.Tests.ClickHouse;

/// <summary>Connections that fail, and TLS, against a listener of a few lines.</summary>
public sealed class ConnectionTests : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string _folder = Directory.CreateTempSubdirectory("godwit-tls-").FullName;

    public ConnectionTests() => _listener.Start();

    private int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _listener.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_refused_connection_never_ran_anything()
    {
        var port = Port;
        _listener.Stop();
        using var gateway = Gateway($"http://127.0.0.1:{port}");
        var e = await Should.ThrowAsync<ClickHouseUnreachableException>(() => gateway.ExecuteAsync("SELECT 1", ct: Ct));
        e.MayHaveRun.ShouldBeFalse();
        e.IsTransient.ShouldBeTrue();
        e.Code.ShouldBe(0);
        e.Node.ShouldBe($"127.0.0.1:{port}");
        e.Message.ShouldStartWith($"127.0.0.1:{port} cannot be reached: ");
    }

    [Fact]
    public async Task An_unknown_host_never_ran_anything()
    {
        using var gateway = Gateway("http://no-such-host.invalid:1");
        var e = await Should.ThrowAsync<ClickHouseUnreachableException>(() => gateway.ExecuteAsync("SELECT 1", ct: Ct));
        e.MayHaveRun.ShouldBeFalse();
        e.Message.ShouldContain("no-such-host.invalid:1");
    }

    [Fact]
    public async Task A_connection_that_is_dropped_after_the_statement_may_have_run()
    {
        var server = ServeAsync(certificate: null, answer: null);
        using var gateway = Gateway($"http://127.0.0.1:{Port}");
        var e = await Should.ThrowAsync<ClickHouseUnreachableException>(() => gateway.ExecuteAsync("DROP TABLE x", ct: Ct));
        e.MayHaveRun.ShouldBeTrue();
        e.Message.ShouldContain("lost before its answer");
        await server;
    }

    [Fact]
    public async Task An_answer_that_breaks_off_is_not_a_short_one()
    {
        var server = ServeAsync(certificate: null, Answer("x\nInt8\n1\n", promised: 100));
        using var gateway = Gateway($"http://127.0.0.1:{Port}");
        var e = await Should.ThrowAsync<ClickHouseUnreachableException>(() => gateway.QueryAsync("SELECT x", ct: Ct));
        e.MayHaveRun.ShouldBeTrue();
        e.Message.ShouldContain("broke off in the middle");
        await server;
    }

    [Fact]
    public async Task An_unknown_certificate_is_refused_with_a_sentence()
    {
        using var certificate = SelfSigned("localhost");
        var server = ServeAsync(certificate, Answer("x\nInt8\n1\n"));
        using var gateway = Gateway($"https://localhost:{Port}");
        var e = await Should.ThrowAsync<ClickHouseUnreachableException>(() => gateway.ExecuteAsync("SELECT 1", ct: Ct));
        e.MayHaveRun.ShouldBeFalse();
        e.IsTransient.ShouldBeFalse();
        e.Message.ShouldStartWith($"The certificate of localhost:{Port} was not accepted");
        e.Message.ShouldContain("give the CA certificate file");
        await Should.ThrowAsync<Exception>(() => server);
    }

    [Fact]
    public async Task A_certificate_that_its_file_vouches_for_is_accepted()
    {
        using var certificate = SelfSigned("localhost");
        var server = ServeAsync(certificate, Answer("x\nInt8\n1\n"));
        using var gateway = Gateway($"https://localhost:{Port}", Pem(certificate));
        (await gateway.ScalarAsync<long>("SELECT 1 AS x", ct: Ct)).ShouldBe(1);
        (await server).ShouldContain("SELECT 1 AS x");
    }

    [Fact]
    public async Task A_trusted_certificate_of_another_host_is_refused()
    {
        using var certificate = SelfSigned("elsewhere");
        var server = ServeAsync(certificate, Answer("x\nInt8\n1\n"));
        using var gateway = Gateway($"https://localhost:{Port}", Pem(certificate));
        var e = await Should.ThrowAsync<ClickHouseUnreachableException>(() => gateway.ExecuteAsync("SELECT 1", ct: Ct));
        e.Message.ShouldContain("does not vouch for it under that host name");
        await Should.ThrowAsync<Exception>(() => server);
    }

    private static ClickHouseGateway Gateway(string url, string? ca = null)
        => new(new ClickHouseOptions { Url = new Uri(url), CaCertificateFile = ca, ConnectTimeout = TimeSpan.FromSeconds(20) });

    /// <summary>Takes one connection, reads one request, and answers or hangs up. Returns the request.</summary>
    private async Task<string> ServeAsync(X509Certificate2? certificate, string? answer)
    {
        using var client = await _listener.AcceptTcpClientAsync(Ct);
        Stream stream = client.GetStream();
        if (certificate is not null)
        {
            var tls = new SslStream(stream);
            await tls.AuthenticateAsServerAsync(certificate, false, SslProtocols.None, false);
            stream = tls;
        }

        var request = "";
        var buffer = new byte[8192];
        while (!IsWhole(request))
        {
            var read = await stream.ReadAsync(buffer, Ct);
            request += read > 0 ? Encoding.UTF8.GetString(buffer, 0, read) : throw new IOException("The client hung up.");
        }

        await stream.WriteAsync(Encoding.UTF8.GetBytes(answer ?? ""), Ct);
        await stream.DisposeAsync();
        return request;
    }

    private static bool IsWhole(string request)
    {
        var head = request.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (head < 0)
        {
            return false;
        }

        var length = request.Split("Content-Length: ")[1].Split("\r\n")[0];
        return request.Length - head - 4 >= int.Parse(length, null);
    }

    private static string Answer(string body, int? promised = null)
        => $"HTTP/1.1 200 OK\r\nX-ClickHouse-Server-Display-Name: t\r\nContent-Length: {promised ?? body.Length}\r\n\r\n{body}";

    private static X509Certificate2 SelfSigned(string host)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private string Pem(X509Certificate2 certificate)
    {
        var file = Path.Combine(_folder, "ca.pem");
        File.WriteAllText(file, certificate.ExportCertificatePem());
        return file;
    }
}
