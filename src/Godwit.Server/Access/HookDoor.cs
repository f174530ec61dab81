using System.Security.Claims;
using Godwit.Metadata.Accounts;
using Godwit.Rebuild;
using Godwit.Server.Api;

namespace Godwit.Server.Access;

/// <summary>Who may name what pauses writers: SQL and addresses reach wherever the server does, a command is one that somebody has put on its machine.</summary>
internal static class HookDoor
{
    /// <summary>Lets a request through, or says who may ask it.</summary>
    /// <exception cref="NotAllowedException">It is not for this role.</exception>
    public static void Require(ClaimsPrincipal caller, RebuildRequest? request)
    {
        if (request?.ReachesOut() == true && !Policies.Can(caller, Role.Admin))
        {
            throw new NotAllowedException("Only an admin may name SQL or an address as a hook; an operator names a command that was put into the server's folder of hooks (command:NAME).");
        }
    }
}
